import type { InvalidEntry, ModelSettings } from '../config/settings.js';
import { isInvalid } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { ModelSignature } from '../dag/definition.js';
import type { PortDescription } from '../native/binding.js';
import { log } from '../observability/logger.js';
import { openVersion, scanVersions } from '../servables/repository.js';
import type { ServableState, StateErrorCode } from '../servables/serving.js';
import type { ModelSnapshot, ModelVersionSnapshot, ServingModel } from '../servables/snapshot.js';
import { selectVersions } from '../servables/version-policy.js';
import { formatPartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { compileSpecification } from './compile-specification.js';
import type { ModelCompiler } from './model-compiler.js';
import { servedPorts } from './model-signature.js';

/** One model of the configuration and the life of its versions, on the control plane. */
export class ModelVersions {
  readonly name: string;
  readonly #settings: ModelSettings | InvalidEntry;
  readonly #compiler: ModelCompiler;
  readonly #changed: () => void;
  readonly #versions = new Map<number, ModelVersionSnapshot>();

  /** @param changed called after every change of a version's state. */
  constructor(settings: ModelSettings | InvalidEntry, compiler: ModelCompiler, changed: () => void) {
    this.name = settings.name;
    this.#settings = settings;
    this.#compiler = compiler;
    this.#changed = changed;
  }

  /**
   * Loads every version the policy asks for, and for `latest` an older one for each that fails. A fault of one version is logged
   * and seen in its state; it does not disturb the others.
   *
   * @returns the faults, for the mode in which one model is all there is.
   */
  async load(): Promise<ServingError[]> {
    const settings = this.#settings;
    if (isInvalid(settings)) return [this.#logFault(settings.error)];
    let available: readonly number[];
    try {
      const scan = await scanVersions(settings.basePath);
      for (const warning of scan.warnings) log.modelmanager.warning(warning);
      available = scan.versions;
    } catch (error) {
      return [this.#logFault(error)];
    }
    return this.#loadSelected(settings, available);
  }

  snapshot(): ModelSnapshot {
    return { name: this.name, versions: [...this.#versions.values()].sort((a, b) => a.version - b.version) };
  }

  /** Signature of an available version; `null` asks for the highest. */
  signature(version: number | null): ModelSignature | undefined {
    const { versions } = this.snapshot();
    return (
      versions.findLast(({ version: number, serving }) => serving !== null && (version === null || number === version))
        ?.serving ?? undefined
    );
  }

  async #loadSelected(settings: ModelSettings, available: readonly number[]): Promise<ServingError[]> {
    const faults: ServingError[] = [];
    const failed = new Set<number>();
    for (;;) {
      const wanted = selectVersions(
        settings.versionPolicy,
        available.filter((version) => !failed.has(version)),
      );
      const next = wanted.filter((version) => !this.#versions.has(version));
      if (next.length === 0) return faults;
      await Promise.all(
        next.map(async (version) => {
          const fault = await this.#loadVersion(settings, version);
          if (fault === null) return;
          failed.add(version);
          faults.push(fault);
        }),
      );
    }
  }

  async #loadVersion(settings: ModelSettings, version: number): Promise<ServingError | null> {
    this.#setState(version, 'START', 'OK');
    this.#setState(version, 'LOADING', 'OK');
    try {
      const serving = await this.#compile(settings, version);
      this.#logLoaded(settings, version, serving);
      this.#setState(version, 'AVAILABLE', 'OK', serving);
      return null;
    } catch (error) {
      this.#setState(version, 'LOADING', 'UNKNOWN');
      return this.#logFault(error, version);
    }
  }

  async #compile(settings: ModelSettings, version: number): Promise<ServingModel> {
    const { modelFile, mapping } = await openVersion(settings.basePath, version);
    log.modelmanager.info(
      `Loading model: ${this.name}, version: ${version}, from path: ${modelFile.path}, with target device: ${settings.targetDevice} ...`,
    );
    const specification = compileSpecification(settings, modelFile.path, mapping, this.#compiler.cacheDir);
    const reference = await this.#compiler.compile(specification);
    try {
      const nireq = settings.nireq > 0 ? settings.nireq : reference.description.optimalInferRequests;
      return { reference, nireq, ...servedPorts(reference.description, mapping) };
    } catch (error) {
      this.#compiler.release(reference);
      throw error;
    }
  }

  #setState(
    version: number,
    state: ServableState,
    errorCode: StateErrorCode,
    serving: ServingModel | null = null,
  ): void {
    this.#versions.set(version, { version, state, errorCode, serving });
    log.modelmanager.info(
      `STATUS CHANGE: Version ${version} of model ${this.name} status change. New status: ( "state": "${state}", "error_code": "${errorCode}" )`,
    );
    this.#changed();
  }

  #logLoaded({ basePath }: ModelSettings, version: number, { reference, inputs, outputs, nireq }: ServingModel): void {
    const { description } = reference;
    inputs.forEach((input, port) => log.modelmanager.info(`Input name: ${describe(input, description.inputs[port]!)}`));
    outputs.forEach((output, port) =>
      log.modelmanager.info(`Output name: ${describe(output, description.outputs[port]!)}`),
    );
    const batch = inputs[0]?.shape[0];
    log.modelmanager.debug(`Model ${this.name} version ${version} was read from ${basePath}`);
    log.modelmanager.info(
      `Loaded model ${this.name}; version: ${version}; batch size: ${batch === undefined ? 1 : formatPartialShape([batch]).slice(1, -1)}; No of InferRequests: ${nireq}`,
    );
  }

  #logFault(error: unknown, version?: number): ServingError {
    const known =
      error instanceof ServingError ? error : new ServingError('INTERNAL_ERROR', String(error), { cause: error });
    log.modelmanager.error(
      `Error occurred while loading model: ${this.name}${version === undefined ? '' : `; version: ${version}`}; error: ${known.message}`,
    );
    return known;
  }
}

function describe({ name, shape, precision, layout }: TensorInfo, { names }: PortDescription): string {
  return `${names[0] ?? name}; mapping_name: ${name}; shape: ${formatPartialShape(shape)}; precision: ${precision}; layout: ${layout}`;
}
