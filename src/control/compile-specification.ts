import {
  isAuto,
  type BatchSize,
  type LayoutParameter,
  type ModelSettings,
  type PerInput,
  type PreprocessingSettings,
  type ServerSettings,
  type ShapeParameter,
  type StatefulSettings,
} from '../config/settings.js';
import type { CompileSpecification, Preprocessing, StatefulModel } from '../native/binding.js';
import type { ModelMapping } from '../servables/model-mapping.js';
import { OPENVINO_ELEMENT_TYPE } from '../tensors/precision.js';
import { ANY_DIMENSION, type Dimension } from '../tensors/shape.js';

/** Directory of the compiled-model cache, and threads of the CPU plugin; `null` for none and for its own choice. */
export type CompileDefaults = Pick<ServerSettings, 'cacheDir' | 'inferenceThreads'>;

/**
 * What to tell OpenVINO to make of a version.
 *
 * @param defaults what every model of this server gets.
 */
export function compileSpecification(
  settings: ModelSettings,
  modelPath: string,
  mapping: ModelMapping,
  defaults: CompileDefaults,
): CompileSpecification {
  return {
    path: modelPath,
    device: settings.targetDevice,
    properties: properties(settings, defaults),
    mapping: { inputs: [...mapping.inputs], outputs: [...mapping.outputs] },
    shapes: perName(settings.shape).map(({ name, value }) => ({ name, dimensions: dimensions(value) })),
    layouts: perName(settings.layout).map(({ name, value }) => layout(name, value)),
    batch: settings.batchSize === null ? null : batch(settings.batchSize),
    preprocessing: preprocessing(settings.preprocessing),
    stateful: settings.stateful === null ? null : statefulModel(settings.stateful),
    joinedRows: settings.dynamicBatching?.maxBatchSize ?? null,
  };
}

/** Models that follow their requests are cached only where `allow_cache` says so (as OVMS 2026.2.1). */
function properties(settings: ModelSettings, defaults: CompileDefaults): CompileSpecification['properties'] {
  const { cacheDir, inferenceThreads } = defaults;
  const cached = cacheDir !== null && (settings.allowCache ?? !isAuto(settings));
  return {
    ...(cached ? { CACHE_DIR: cacheDir } : {}),
    ...(inferenceThreads !== null && settings.targetDevice === 'CPU'
      ? { INFERENCE_NUM_THREADS: inferenceThreads }
      : {}),
    ...settings.pluginConfig,
  };
}

/** Names are those that clients use; `''` stands for the only input of a model. */
function perName<T>(setting: PerInput<T> | null): readonly { readonly name: string; readonly value: T }[] {
  if (setting === null) return [];
  return setting.kind === 'anonymous' ? [{ name: '', value: setting.value }] : setting.values;
}

/**
 * `auto` is compiled once for all shapes, where OVMS 2026.2.1 compiles again for each that comes. Where that gave other answers, native
 * code compiles for each, too.
 * `null` stands for the rank of the model with every dimension open.
 */
function dimensions(shape: ShapeParameter): NativeDimension[] | null {
  return shape === 'auto' ? null : shape.map(nativeDimension);
}

function batch(size: BatchSize): NativeDimension {
  return nativeDimension(size === 'auto' ? ANY_DIMENSION : size);
}

type NativeDimension = [min: number, max: number];

/** The native boundary writes -1 for no upper bound, because its numbers become 64-bit integers. */
function nativeDimension({ min, max }: Dimension): NativeDimension {
  return [min, max === Infinity ? -1 : max];
}

function preprocessing({ mean, scale, colorFormat, precision }: PreprocessingSettings): Preprocessing {
  return {
    mean: mean ?? [],
    scale: scale ?? [],
    color: colorFormat === null ? null : { tensor: colorFormat.source, model: colorFormat.target },
    elementType:
      precision === null
        ? null
        : { tensor: OPENVINO_ELEMENT_TYPE[precision.source], model: OPENVINO_ELEMENT_TYPE[precision.target] },
  };
}

function statefulModel({ maxSequenceNumber, lowLatencyTransformation }: StatefulSettings): StatefulModel {
  return { maxSequences: maxSequenceNumber, lowLatency: lowLatencyTransformation };
}

function layout(name: string, { tensor, model }: LayoutParameter): CompileSpecification['layouts'][number] {
  return { name, tensor, model };
}
