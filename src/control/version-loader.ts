import { isDeepStrictEqual } from 'node:util';

import { isAuto, type ModelSettings } from '../config/settings.js';
import { log } from '../observability/logger.js';
import { openVersion } from '../servables/repository.js';
import type { ServingModel } from '../servables/snapshot.js';
import { compileSpecification } from './compile-specification.js';
import type { ModelCompiler } from './model-compiler.js';
import { logLoaded } from './model-log.js';
import { servedPorts } from './model-signature.js';

/**
 * Reads and compiles a version. The result holds the compiled model until it is released.
 *
 * @param isRetry whether it failed before: such a try is not announced, there may be one a second.
 * @throws ServingError PATH_INVALID, FILE_INVALID, MODEL_*, NOT_IMPLEMENTED, SERVER_STOPPING
 */
export async function loadVersion(
  settings: ModelSettings,
  version: number,
  compiler: ModelCompiler,
  isRetry: boolean,
): Promise<ServingModel> {
  const { name, basePath, targetDevice } = settings;
  const { modelFile, mapping } = await openVersion(basePath, version);
  const text = `Loading model: ${name}, version: ${version}, from path: ${modelFile.path}, with target device: ${targetDevice} ...`;
  if (isRetry) log.modelmanager.debug(text);
  else log.modelmanager.info(text);
  const specification = compileSpecification(settings, modelFile.path, mapping, compiler);
  const reference = await compiler.compile(specification);
  try {
    const nireq = settings.nireq > 0 ? settings.nireq : reference.description.optimalInferRequests;
    const ports = servedPorts(reference.description, mapping);
    const serving = { reference, nireq, ...ports, isAuto: isAuto(settings), stateful: settings.stateful };
    logLoaded(name, version, serving);
    log.modelmanager.debug(`Model ${name} version ${version} was read from ${basePath}`);
    return serving;
  } catch (error) {
    compiler.release(reference);
    throw error;
  }
}

/** Whether a version that was made with some settings must be made again for others (as OVMS 2026.2.1). */
export function mustReload(madeWith: ModelSettings, wanted: ModelSettings): boolean {
  return !isDeepStrictEqual(ingredients(madeWith), ingredients(wanted));
}

/** All that a loaded version depends on: not its name, not where it stands in the file, and not which versions are served. */
function ingredients(settings: ModelSettings): Omit<ModelSettings, 'name' | 'jsonPath' | 'versionPolicy'> {
  const { basePath, targetDevice, pluginConfig, nireq, shape, batchSize, layout } = settings;
  const { allowCache, stateful, preprocessing } = settings;
  return {
    basePath,
    targetDevice,
    pluginConfig,
    nireq,
    shape,
    batchSize,
    layout,
    allowCache,
    stateful,
    preprocessing,
  };
}
