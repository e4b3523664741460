import { isDeepStrictEqual } from 'node:util';

import { isAuto, type ModelSettings } from '../config/settings.js';
import { log } from '../observability/logger.js';
import { compileSpecification } from './compile-specification.js';
import type { LoadSlots } from './load-slots.js';
import type { ModelCompiler } from './model-compiler.js';
import { logLoaded } from './model-log.js';
import type { ModelRepository, OpenedVersion } from './model-repository.js';
import { servedPorts } from './model-signature.js';
import type { LoadedVersion } from './version-table.js';
import type { WarmUp } from './warm-up.js';

/**
 * Reads and compiles a version. The result holds the compiled model, and the files of it, until it is released.
 *
 * @param isRetry whether it failed before: such a try is not announced, there may be one a second.
 * @param dropped aborted when the result is not wanted any more: then what has not begun yet does not begin.
 * @throws ServingError PATH_INVALID, FILE_INVALID, MODEL_*, NOT_IMPLEMENTED, SERVER_STOPPING, and those of a cloud storage; the
 * reason of `dropped`
 */
export async function loadVersion(
  settings: ModelSettings,
  version: number,
  { compiler, repository, warmUp, slots }: VersionSources,
  isRetry: boolean,
  dropped: AbortSignal,
): Promise<LoadedVersion> {
  const files = await repository.open(settings, version);
  try {
    const load = async (): Promise<LoadedVersion> => {
      const loaded = await compileVersion(settings, files, compiler, isRetry);
      if (!dropped.aborted) await warmUp?.model(settings.name, version, loaded.model, files.directory);
      return loaded;
    };
    return await slots.run(load, dropped);
  } catch (error) {
    // That nobody wants it any more is no fault of the files.
    await files.release(dropped.aborted ? undefined : error);
    throw error;
  }
}

/** What versions are made from, and by whom. */
export interface VersionSources {
  readonly compiler: ModelCompiler;
  readonly repository: ModelRepository;
  /** Asks versions before they serve; absent: nobody does. */
  readonly warmUp?: WarmUp | undefined;
  /** Shared by all models. */
  readonly slots: LoadSlots;
}

async function compileVersion(
  settings: ModelSettings,
  files: OpenedVersion,
  compiler: ModelCompiler,
  isRetry: boolean,
): Promise<LoadedVersion> {
  const { name, basePath, targetDevice } = settings;
  const { version, modelFile, mapping } = files;
  const text = `Loading model: ${name}, version: ${version}, from path: ${modelFile.path}, with target device: ${targetDevice} ...`;
  if (isRetry) log.modelmanager.debug(text);
  else log.modelmanager.info(text);
  const specification = compileSpecification(settings, modelFile.path, mapping, compiler);
  const reference = await compiler.compileJoined(specification, settings.followsLoad);
  try {
    const nireq = settings.nireq > 0 ? settings.nireq : reference.description.optimalInferRequests;
    const ports = servedPorts(reference.description);
    const model = {
      reference,
      nireq,
      ...ports,
      isAuto: isAuto(settings),
      stateful: settings.stateful,
      // What cannot be joined is served all the same.
      batching: reference.specification.joinedRows === null ? null : settings.dynamicBatching,
    };
    logLoaded(name, version, model);
    log.modelmanager.debug(`Model ${name} version ${version} was read from ${basePath}`);
    const release = async (): Promise<void> => {
      compiler.release(reference);
      await files.release();
    };
    return { model, madeWith: settings, release };
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
  const { basePath, targetDevice, pluginConfig, nireq, followsLoad, shape, batchSize, layout } = settings;
  const { allowCache, stateful, dynamicBatching, preprocessing } = settings;
  return {
    basePath,
    targetDevice,
    pluginConfig,
    nireq,
    followsLoad,
    shape,
    batchSize,
    layout,
    allowCache,
    stateful,
    dynamicBatching,
    preprocessing,
  };
}
