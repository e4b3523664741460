import type { ModelSettings } from '../config/settings.js';
import { log } from '../observability/logger.js';
import type { ServableState, StateErrorCode } from '../servables/serving.js';
import type { ModelSnapshot, ServingModel } from '../servables/snapshot.js';

/** A version that can be asked, and what it was made with. */
export interface LoadedVersion {
  readonly model: ServingModel;
  readonly madeWith: ModelSettings;
  /** To be called once, when no snapshot shows it and every owner worker knows. */
  readonly release: () => Promise<void>;
}

export interface VersionRecord {
  readonly version: number;
  readonly state: ServableState;
  readonly errorCode: StateErrorCode;
  /** Present while it can be asked. */
  readonly serving: LoadedVersion | null;
  /** What the next commit makes of it; `null`: it stays as it is. */
  readonly next: LoadedVersion | 'retire' | null;
}

/** All versions a model ever had, with their states. What is planned shows in no snapshot before it is committed. */
export class VersionTable {
  readonly #name: string;
  readonly #changed: () => void;
  readonly #records = new Map<number, VersionRecord>();

  /** @param changed called after every change of a state. */
  constructor(name: string, changed: () => void) {
    this.#name = name;
    this.#changed = changed;
  }

  /** A version that was never there is as one that has ended. */
  get(version: number): VersionRecord {
    return this.#records.get(version) ?? { version, state: 'END', errorCode: 'OK', serving: null, next: null };
  }

  set(version: number, state: ServableState, errorCode: StateErrorCode, serving: LoadedVersion | null = null): void {
    this.#records.set(version, { version, state, errorCode, serving, next: null });
    log.modelmanager.info(
      `STATUS CHANGE: Version ${version} of model ${this.#name} status change. New status: ( "state": "${state}", "error_code": "${errorCode}" )`,
    );
    this.#changed();
  }

  /** A replacement that was planned before must have been taken back. */
  planReplacement(version: number, next: LoadedVersion): void {
    this.#records.set(version, { ...this.get(version), next });
  }

  /** @returns the replacement that was planned for a version, if there was one: no snapshot has shown it, and none will. */
  takeBack(version: number): LoadedVersion | null {
    const record = this.get(version);
    const { next } = record;
    if (next === null || next === 'retire') return null;
    this.#records.set(version, { ...record, next: null });
    return next;
  }

  /**
   * Plans the end of all versions but these, which stay even if their end was planned before.
   *
   * @returns replacements that are not wanted any more: no snapshot has shown them, and none will.
   */
  planRetirement(kept: readonly number[]): LoadedVersion[] {
    const unwanted: LoadedVersion[] = [];
    for (const { version, state, next } of this.#ascending()) {
      if (state === 'END') continue;
      if (kept.includes(version)) {
        if (next === 'retire') this.#records.set(version, { ...this.get(version), next: null });
        continue;
      }
      const replacement = this.takeBack(version);
      if (replacement !== null) unwanted.push(replacement);
      this.#records.set(version, { ...this.get(version), next: 'retire' });
    }
    return unwanted;
  }

  /** Whether a commit would change anything. */
  get hasPlans(): boolean {
    return [...this.#records.values()].some(({ next }) => next !== null);
  }

  /** @returns what no snapshot shows any more. */
  commit(): LoadedVersion[] {
    const replaced: LoadedVersion[] = [];
    for (const { version, serving, next } of this.#ascending()) {
      if (next === null) continue;
      if (serving !== null) replaced.push(serving);
      if (next === 'retire') this.set(version, 'UNLOADING', 'OK');
      else this.set(version, 'AVAILABLE', 'OK', next);
    }
    return replaced;
  }

  /** The owner workers have moved on from what was retired. */
  end(): void {
    for (const { version, state } of this.#ascending()) if (state === 'UNLOADING') this.set(version, 'END', 'OK');
  }

  snapshot(): ModelSnapshot {
    const versions = this.#ascending().map(({ version, state, errorCode, serving }) => ({
      version,
      state,
      errorCode,
      serving: serving?.model ?? null,
    }));
    return { name: this.#name, versions };
  }

  /** What can be asked after the commit, and nothing else; without a commit what can be asked now. */
  upcoming(isCommitted: boolean): ModelSnapshot {
    const versions = this.#ascending().flatMap((record) => {
      const serving = (isCommitted ? afterCommit(record) : record.serving)?.model;
      return serving === undefined
        ? []
        : [{ version: record.version, state: 'AVAILABLE', errorCode: 'OK', serving } as const];
    });
    return { name: this.#name, versions };
  }

  /** A version as it is after the commit, or without one as it is now; `null` asks for the highest that can be asked then. */
  find(version: number | null, isCommitted: boolean): LoadedVersion | undefined {
    const candidates = this.#ascending().filter((record) => version === null || record.version === version);
    const loaded = candidates.map((record) => (isCommitted ? afterCommit(record) : record.serving));
    return loaded.findLast((each) => each !== null) ?? undefined;
  }

  /** A copy: the caller may change what it goes through. */
  #ascending(): VersionRecord[] {
    return [...this.#records.values()].sort((a, b) => a.version - b.version);
  }
}

/** What can be asked when what is planned is committed. */
function afterCommit({ serving, next }: VersionRecord): LoadedVersion | null {
  return next === 'retire' ? null : (next ?? serving);
}
