import type { LayoutParameter, ModelSettings, PerInput, ShapeParameter } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { CompileSpecification } from '../native/binding.js';
import type { ModelMapping } from '../servables/model-mapping.js';
import type { PartialShape } from '../tensors/shape.js';

/**
 * What to tell OpenVINO to make of a version.
 *
 * @param cacheDir directory of the compiled-model cache, or `null`.
 * @throws ServingError NOT_IMPLEMENTED for settings that this server does not apply yet: served without them, a model would answer
 * wrongly and nobody would know.
 */
export function compileSpecification(
  settings: ModelSettings,
  modelPath: string,
  mapping: ModelMapping,
  cacheDir: string | null,
): CompileSpecification {
  refuseUnapplied(settings);
  const tensorName = tensorNames(mapping);
  return {
    path: modelPath,
    device: settings.targetDevice,
    properties:
      cacheDir === null || settings.allowCache === false
        ? settings.pluginConfig
        : { CACHE_DIR: cacheDir, ...settings.pluginConfig },
    shapes: perInput(settings.shape, tensorName).map(({ name, value }) => ({
      name,
      dimensions: dimensions(settings, value),
    })),
    layouts: perInput(settings.layout, tensorName).map(({ name, value }) => layout(name, value)),
  };
}

function refuseUnapplied({ jsonPath, batchSize, stateful, preprocessing }: ModelSettings): void {
  const unapplied = [
    batchSize !== null ? 'batch_size' : null,
    stateful !== null ? 'stateful' : null,
    ...Object.entries(preprocessing).map(([name, value]) => (value === null ? null : name)),
  ].find((name) => name !== null);
  if (unapplied !== undefined) throw new ServingError('NOT_IMPLEMENTED', `${unapplied} at ${jsonPath}`);
}

/** Settings speak of inputs by their mapped names, OpenVINO by tensor names; `''` stands for the only input of a model. */
function tensorNames({ inputs }: ModelMapping): (mapped: string) => string {
  const byMappedName = new Map([...inputs].map(([tensor, mapped]) => [mapped, tensor]));
  return (mapped) => byMappedName.get(mapped) ?? mapped;
}

function perInput<T>(
  setting: PerInput<T> | null,
  tensorName: (mapped: string) => string,
): { readonly name: string; readonly value: T }[] {
  if (setting === null) return [];
  if (setting.kind === 'anonymous') return [{ name: '', value: setting.value }];
  return setting.values.map(({ name, value }) => ({ name: tensorName(name), value }));
}

function dimensions({ jsonPath }: ModelSettings, shape: ShapeParameter): [number, number][] {
  if (shape === 'auto') throw new ServingError('NOT_IMPLEMENTED', `shape auto at ${jsonPath}/shape`);
  return nativeDimensions(shape);
}

/** The native boundary writes -1 for no upper bound, because its numbers become 64-bit integers. */
function nativeDimensions(shape: PartialShape): [number, number][] {
  return shape.map(({ min, max }) => [min, max === Infinity ? -1 : max]);
}

function layout(name: string, { tensor, model }: LayoutParameter): CompileSpecification['layouts'][number] {
  return { name, tensor, model };
}
