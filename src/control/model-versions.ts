import { isDeepStrictEqual } from 'node:util';

import { isAuto, isInvalid, type InvalidEntry, type ModelSettings } from '../config/settings.js';
import type { ModelSignature } from '../dag/definition.js';
import { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';
import type { ModelSnapshot } from '../servables/snapshot.js';
import { selectVersions } from '../servables/version-policy.js';
import type { RepeatedFaults } from './repeated-faults.js';
import { loadVersion, mustReload, type VersionSources } from './version-loader.js';
import { VersionTable, type LoadedVersion } from './version-table.js';

/**
 * One model and the life of its versions, on the control plane. {@link update} begins a round: it loads what is wanted and plans what
 * is to be replaced and retired. A round takes its time and holds up no other model. When it has ended, {@link commit} makes all of
 * the plan true in one go, and {@link end} follows when the owner workers have moved on. So versions that are new serve before
 * others retire, and what is replaced serves until then.
 */
export class ModelVersions {
  readonly name: string;
  readonly #sources: VersionSources;
  readonly #faults: RepeatedFaults;
  readonly #versions: VersionTable;
  readonly #changed: () => void;
  /** Under way, by version. */
  readonly #loads = new Map<number, Load>();
  /** Every load that has not ended and every release of what is not wanted any more. */
  readonly #running = new Set<Promise<unknown>>();
  #settings: ModelSettings | InvalidEntry | null = null;
  /** The round that is under way. */
  #round: Round | null = null;
  /** A round that a newer configuration has overtaken: who waits for it waits for the next one. */
  #overtaken: Round | null = null;
  /** Listed, or listed at another path, and not looked at since. */
  #awaitsScan = false;
  #warnings: readonly string[] = [];
  /** Whether it is a stateful model, once a version of it was loaded. */
  #isStateful: boolean | null = null;

  /** @param changed called after every change of what a snapshot shows. */
  constructor(name: string, sources: VersionSources, faults: RepeatedFaults, changed: () => void) {
    this.name = name;
    this.#sources = sources;
    this.#faults = faults;
    this.#changed = changed;
    this.#versions = new VersionTable(name, changed);
  }

  /**
   * What the configuration says of the model from now on; `null` when it does not list the model. A round for other settings or another
   * policy is overtaken. Loads go on where their settings are still wanted; the result of any other load is dropped when it comes.
   */
  configure(settings: ModelSettings | InvalidEntry | null): void {
    const before = wishOf(this.#settings);
    const wish = wishOf(settings);
    this.#settings = settings;
    if (wish === null) this.#awaitsScan = false;
    else if (wish.basePath !== before?.basePath) this.#awaitsScan = true;
    for (const [version, { madeWith }] of this.#loads) {
      if (wish === null || mustReload(madeWith, wish)) this.#drop(version);
    }
    if (this.#round === null) return;
    if (before !== null && wish !== null && asksForTheSame(before, wish)) return;
    this.#overtaken = this.#round;
    this.#round = null;
  }

  /** Whether a round is under way. Until it ends nothing of its plan is committed. */
  get isBusy(): boolean {
    return this.#round !== null;
  }

  /** Whether a commit would change anything. */
  get hasPlans(): boolean {
    return this.#versions.hasPlans;
  }

  /**
   * Looks at the version directories and loads every version the policy asks for that is not there yet, and for `latest` an older one
   * for each that fails. A version that failed before is tried again. A fault of one version is logged and seen in its state; it
   * disturbs neither the others nor what it was to replace. While a round is under way, that is the answer.
   *
   * @returns the faults of the round, or of the one that has overtaken it.
   */
  update(): Promise<readonly ServingError[]> {
    if (this.#round !== null) return this.#round.ended;
    const ended = this.#begin();
    this.#overtaken?.end(ended);
    this.#overtaken = null;
    return ended;
  }

  /** Resolves when no round is under way. */
  async settled(): Promise<void> {
    await this.#round?.ended;
  }

  /**
   * Not while a round is under way.
   *
   * @returns what no snapshot shows any more: to be released when every owner worker knows.
   */
  commit(): LoadedVersion[] {
    return this.#versions.commit();
  }

  /** Every owner worker knows what was retired. */
  end(): void {
    this.#versions.end();
  }

  /** Resolves when nothing runs for this model any more; to be asked when the compiler is closed. */
  async idle(): Promise<void> {
    await this.settled();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  snapshot(): ModelSnapshot {
    return { ...this.#versions.snapshot(), ...(this.#awaitsScan && { awaitsScan: true }) };
  }

  /** As it is after the commit, or without one as it is now. */
  upcoming(isCommitted: boolean): ModelSnapshot {
    return this.#versions.upcoming(isCommitted);
  }

  /** Signature of a version that is available after the commit, or without one now; `null` asks for the highest. */
  signature(version: number | null, isCommitted: boolean): ModelSignature | undefined {
    return this.#versions.find(version, isCommitted)?.model;
  }

  /** Whether the round that is under way may bring the version, or bring it with other settings; `null` asks for the highest. */
  isAwaited(version: number | null): boolean {
    if (this.#round === null) return false;
    const serving = this.#versions.find(version, false);
    return serving === undefined || mustReload(serving.madeWith, this.#round.settings);
  }

  #begin(): Promise<readonly ServingError[]> {
    const settings = this.#settings;
    if (settings === null || isInvalid(settings)) {
      this.#planRetirement([]);
      return Promise.resolve(settings === null ? [] : [this.#logFault(settings.error)]);
    }
    const round = new Round(settings);
    this.#round = round;
    void this.#run(round).then((faults) => {
      if (this.#round !== round) return;
      this.#round = null;
      round.end(faults);
    });
    return round.ended;
  }

  /** Never rejects. */
  async #run(round: Round): Promise<readonly ServingError[]> {
    const { settings } = round;
    try {
      this.#checkType(settings);
      const available = await this.#scan(settings);
      if (this.#round !== round) return [];
      this.#scanned();
      const faults = await this.#loadWanted(round, available);
      if (this.#round === round) this.#faults.forget(this.name);
      return faults;
    } catch (error) {
      if (this.#round !== round) return [];
      this.#scanned();
      return [this.#logFault(error)];
    }
  }

  #scanned(): void {
    if (!this.#awaitsScan) return;
    this.#awaitsScan = false;
    this.#changed();
  }

  /** @throws ServingError MODEL_STATEFUL_AUTO, MODEL_TYPE_CHANGED (as OVMS 2026.2.1) */
  #checkType(settings: ModelSettings): void {
    const { stateful, jsonPath } = settings;
    if (stateful !== null && isAuto(settings)) {
      throw new ServingError('MODEL_STATEFUL_AUTO', `expected no batch_size auto and no shape auto at ${jsonPath}`);
    }
    if (this.#isStateful !== null && this.#isStateful !== (stateful !== null)) {
      throw new ServingError('MODEL_TYPE_CHANGED', `${jsonPath}/stateful`);
    }
  }

  /** @throws ServingError PATH_INVALID, or of a cloud storage: then nothing is retired, the directory may come back. */
  async #scan({ basePath }: ModelSettings): Promise<readonly number[]> {
    const { versions, warnings } = await this.#sources.repository.scan(basePath);
    for (const warning of warnings) if (!this.#warnings.includes(warning)) log.modelmanager.warning(warning);
    this.#warnings = warnings;
    return versions;
  }

  /** Nothing is planned any more once the round was overtaken. */
  async #loadWanted(round: Round, available: readonly number[]): Promise<ServingError[]> {
    const { settings } = round;
    const faults: ServingError[] = [];
    const failed = new Set<number>();
    for (;;) {
      // A version that could not be replaced serves as it was, and the policy counts it.
      const eligible = available.filter((version) => !failed.has(version) || this.#isServing(version));
      const wanted = selectVersions(settings.versionPolicy, eligible);
      for (const version of this.#loads.keys()) if (!wanted.includes(version)) this.#drop(version);
      const missing = wanted.filter((version) => !failed.has(version) && !this.#isCurrent(version, settings));
      if (missing.length === 0) {
        this.#planRetirement([...wanted, ...failed]);
        return faults;
      }
      const outcomes = await Promise.all(missing.map((version) => this.#load(settings, version)));
      if (this.#round !== round) return [];
      outcomes.forEach((fault, index) => {
        if (fault === null) return;
        failed.add(missing[index]!);
        faults.push(fault);
      });
    }
  }

  #isServing(version: number): boolean {
    return this.#versions.get(version).serving !== null;
  }

  /** A replacement that was planned for other settings than these is not wanted any more. */
  #isCurrent(version: number, settings: ModelSettings): boolean {
    const { serving, next } = this.#versions.get(version);
    const isMadeWith = (loaded: LoadedVersion): boolean => !mustReload(loaded.madeWith, settings);
    if (next !== null && next !== 'retire') {
      if (isMadeWith(next)) return true;
      this.#discard(this.#versions.takeBack(version)!);
    }
    return serving !== null && isMadeWith(serving);
  }

  #planRetirement(kept: readonly number[]): void {
    for (const unwanted of this.#versions.planRetirement(kept)) this.#discard(unwanted);
  }

  /** A load of an earlier round goes on: what is not wanted any more was dropped. */
  #load(settings: ModelSettings, version: number): Promise<ServingError | null> {
    const known = this.#loads.get(version);
    if (known !== undefined) return known.ended;
    const dropped = new AbortController();
    const ended = this.#runLoad(settings, version, dropped.signal);
    this.#loads.set(version, { madeWith: settings, dropped, ended });
    this.#track(ended);
    return ended;
  }

  async #runLoad(settings: ModelSettings, version: number, dropped: AbortSignal): Promise<ServingError | null> {
    const { state, errorCode, serving } = this.#versions.get(version);
    // One that failed stays as it is while it is tried again, or requests would wait for it each time.
    const isRetry = state === 'LOADING' && errorCode !== 'OK';
    if (serving === null && state !== 'LOADING') {
      this.#versions.set(version, 'START', 'OK');
      this.#versions.set(version, 'LOADING', 'OK');
    }
    try {
      const loaded = await loadVersion(settings, version, this.#sources, isRetry, dropped);
      if (dropped.aborted) {
        this.#discard(loaded);
        return null;
      }
      this.#loads.delete(version);
      this.#isStateful ??= settings.stateful !== null;
      this.#faults.forget(this.#placeOf(version));
      if (this.#isServing(version)) this.#versions.planReplacement(version, loaded);
      else this.#versions.set(version, 'AVAILABLE', 'OK', loaded);
      return null;
    } catch (error) {
      if (dropped.aborted) {
        log.modelmanager.debug(`Model: ${this.#placeOf(version)} was not wanted any more: ${String(error)}`);
        return null;
      }
      this.#loads.delete(version);
      const fault = this.#logFault(error, version);
      const isNews = !this.#isServing(version) && !isRetry && fault.code !== 'SERVER_STOPPING';
      if (isNews) this.#versions.set(version, 'LOADING', 'UNKNOWN');
      return fault;
    }
  }

  /** A load that runs is not ended by this: its result is dropped when it comes. */
  #drop(version: number): void {
    this.#loads.get(version)?.dropped.abort();
    this.#loads.delete(version);
  }

  /** What no snapshot has shown: no request uses it. */
  #discard(loaded: LoadedVersion): void {
    this.#sources.warmUp?.forget(loaded.model);
    this.#track(loaded.release());
  }

  #track(work: Promise<unknown>): void {
    this.#running.add(work);
    const ended = (): void => void this.#running.delete(work);
    work.then(ended, (error: unknown) => {
      ended();
      log.modelmanager.error(`Releasing a version of model ${this.name} failed: ${String(error)}`);
    });
  }

  #placeOf(version?: number): string {
    return version === undefined ? this.name : `${this.name}; version: ${version}`;
  }

  #logFault(error: unknown, version?: number): ServingError {
    const known =
      error instanceof ServingError ? error : new ServingError('INTERNAL_ERROR', String(error), { cause: error });
    if (known.code === 'SERVER_STOPPING') return known;
    const place = this.#placeOf(version);
    const line = this.#faults.line(place, `Error occurred while loading model: ${place}; error: ${known.message}`);
    if (line !== null) log.modelmanager.error(line);
    return known;
  }
}

/** A version that is being loaded. */
interface Load {
  readonly madeWith: ModelSettings;
  /** Aborted when the result is not wanted any more. */
  readonly dropped: AbortController;
  /** The fault, or `null`; of a load that was dropped always `null`. Never rejects. */
  readonly ended: Promise<ServingError | null>;
}

/** One look at the version directories with the loads that follow from it. */
class Round {
  readonly settings: ModelSettings;
  readonly ended: Promise<readonly ServingError[]>;
  /** Ends it with its faults, or with the round that has overtaken it. */
  end!: (faults: readonly ServingError[] | Promise<readonly ServingError[]>) => void;

  constructor(settings: ModelSettings) {
    this.settings = settings;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }
}

/** What is to be served; `null`: nothing. */
function wishOf(settings: ModelSettings | InvalidEntry | null): ModelSettings | null {
  return settings === null || isInvalid(settings) ? null : settings;
}

function asksForTheSame(before: ModelSettings, wish: ModelSettings): boolean {
  return !mustReload(before, wish) && isDeepStrictEqual(before.versionPolicy, wish.versionPolicy);
}
