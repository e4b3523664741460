import type { ModelSettings } from '../config/settings.js';
import type { ModelSignature } from '../dag/definition.js';
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
  /** What the commit of this pass makes of it; `null`: it stays as it is. */
  readonly next: LoadedVersion | 'retire' | null;
}

/** All versions a model ever had, with their states. What is planned in a pass shows in no snapshot before it is committed. */
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

  planReplacement(version: number, next: LoadedVersion): void {
    this.#records.set(version, { ...this.get(version), next });
  }

  planRetirement(kept: readonly number[]): void {
    for (const record of this.#ascending()) {
      const { version, state } = record;
      if (state !== 'END' && !kept.includes(version)) this.#records.set(version, { ...record, next: 'retire' });
    }
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

  /** What can be asked after the commit, and nothing else. */
  upcoming(): ModelSnapshot {
    const versions = this.#ascending().flatMap((record) => {
      const serving = afterCommit(record)?.model;
      return serving === undefined
        ? []
        : [{ version: record.version, state: 'AVAILABLE', errorCode: 'OK', serving } as const];
    });
    return { name: this.#name, versions };
  }

  /** Signature of a version as it is after the commit; `null` asks for the highest that can be asked then. */
  signature(version: number | null): ModelSignature | undefined {
    const candidates = this.#ascending().filter((record) => version === null || record.version === version);
    return candidates.map(afterCommit).findLast((loaded) => loaded !== null)?.model;
  }

  /** A copy: the caller may change what it goes through. */
  #ascending(): VersionRecord[] {
    return [...this.#records.values()].sort((a, b) => a.version - b.version);
  }
}

/** What can be asked when the pass is committed. */
export function afterCommit({ serving, next }: VersionRecord): LoadedVersion | null {
  return next === 'retire' ? null : (next ?? serving);
}
