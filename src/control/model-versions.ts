import { isAuto, isInvalid, type InvalidEntry, type ModelSettings } from '../config/settings.js';
import type { ModelSignature } from '../dag/definition.js';
import { ServingError } from '../errors.js';
import { log } from '../observability/logger.js';
import type { ModelSnapshot } from '../servables/snapshot.js';
import { selectVersions } from '../servables/version-policy.js';
import type { RepeatedFaults } from './repeated-faults.js';
import { loadVersion, mustReload, type VersionSources } from './version-loader.js';
import { afterCommit, VersionTable, type LoadedVersion } from './version-table.js';

/**
 * One model and the life of its versions, on the control plane. A pass of it has three steps: {@link update} loads what is wanted and
 * plans what is to be replaced and retired, {@link commit} does that in one go, and {@link end} follows when the owner workers have
 * moved on. So versions that are new serve before others retire, and what is replaced serves until then.
 */
export class ModelVersions {
  readonly name: string;
  readonly #sources: VersionSources;
  readonly #faults: RepeatedFaults;
  readonly #versions: VersionTable;
  #settings: ModelSettings | InvalidEntry | null = null;
  #warnings: readonly string[] = [];
  /** Whether it is a stateful model, once a version of it was loaded. */
  #isStateful: boolean | null = null;

  /** @param changed called after every change of a version's state. */
  constructor(name: string, sources: VersionSources, faults: RepeatedFaults, changed: () => void) {
    this.name = name;
    this.#sources = sources;
    this.#faults = faults;
    this.#versions = new VersionTable(name, changed);
  }

  /** What the configuration says of it from the next pass on; `null` when it is not listed. */
  configure(settings: ModelSettings | InvalidEntry | null): void {
    this.#settings = settings;
  }

  /**
   * Looks at the version directories and loads every version the policy asks for that is not there yet, and for `latest` an older one
   * for each that fails. A version that failed before is tried again. A fault of one version is logged and seen in its state; it
   * disturbs neither the others nor what it was to replace.
   *
   * @returns the faults of this pass.
   */
  async update(): Promise<readonly ServingError[]> {
    const settings = this.#settings;
    if (settings === null || isInvalid(settings)) {
      this.#versions.planRetirement([]);
      return settings === null ? [] : [this.#logFault(settings.error)];
    }
    try {
      this.#checkType(settings);
      const faults = await this.#loadWanted(settings, await this.#scan(settings));
      this.#faults.forget(this.name);
      return faults;
    } catch (error) {
      return [this.#logFault(error)];
    }
  }

  /** @returns what no snapshot shows any more: to be released when every owner worker knows. */
  commit(): LoadedVersion[] {
    return this.#versions.commit();
  }

  /** Every owner worker knows what was retired. */
  end(): void {
    this.#versions.end();
  }

  snapshot(): ModelSnapshot {
    return this.#versions.snapshot();
  }

  /** As it is when this pass is committed. */
  upcoming(): ModelSnapshot {
    return this.#versions.upcoming();
  }

  /** Signature of a version that is available when this pass is committed; `null` asks for the highest. */
  signature(version: number | null): ModelSignature | undefined {
    return this.#versions.signature(version);
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

  async #loadWanted(settings: ModelSettings, available: readonly number[]): Promise<ServingError[]> {
    const faults: ServingError[] = [];
    const failed = new Set<number>();
    for (;;) {
      // A version that could not be replaced serves as it was, and the policy counts it.
      const eligible = available.filter((version) => !failed.has(version) || this.#isServing(version));
      const wanted = selectVersions(settings.versionPolicy, eligible);
      const missing = wanted.filter((version) => !failed.has(version) && !this.#isCurrent(version, settings));
      if (missing.length === 0) {
        this.#versions.planRetirement([...wanted, ...failed]);
        return faults;
      }
      const outcomes = await Promise.all(missing.map((version) => this.#load(settings, version)));
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

  #isCurrent(version: number, settings: ModelSettings): boolean {
    const loaded = afterCommit(this.#versions.get(version));
    return loaded !== null && !mustReload(loaded.madeWith, settings);
  }

  async #load(settings: ModelSettings, version: number): Promise<ServingError | null> {
    const { state, serving } = this.#versions.get(version);
    // One that failed stays as it is while it is tried again, or requests would wait for it each time.
    const isRetry = state === 'LOADING';
    if (serving === null && !isRetry) {
      this.#versions.set(version, 'START', 'OK');
      this.#versions.set(version, 'LOADING', 'OK');
    }
    try {
      const loaded = await loadVersion(settings, version, this.#sources, isRetry);
      this.#isStateful ??= settings.stateful !== null;
      this.#faults.forget(this.#placeOf(version));
      if (serving === null) this.#versions.set(version, 'AVAILABLE', 'OK', loaded);
      else this.#versions.planReplacement(version, loaded);
      return null;
    } catch (error) {
      const fault = this.#logFault(error, version);
      const isNews = serving === null && !isRetry && fault.code !== 'SERVER_STOPPING';
      if (isNews) this.#versions.set(version, 'LOADING', 'UNKNOWN');
      return fault;
    }
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
