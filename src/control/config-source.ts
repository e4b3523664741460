import { digestOf, loadConfigFile, NODE_FILE_SYSTEM, type ConfigFileSystem } from '../config/load.js';
import type { LoadedConfig, SingleModelFlags } from '../config/settings.js';
import { loadSingleModel } from '../config/single-model.js';
import { ServingError } from '../errors.js';

/** Where a configuration comes from, read as often as it changes. */
export interface ConfigSource {
  /**
   * Digest of what stands there now, to compare with {@link LoadedConfig.digest}.
   *
   * @throws ServingError CONFIG_FILE_UNREADABLE
   */
  digest(): Promise<string>;

  /** @throws ServingError CONFIG_*, and in single-model mode PATH_INVALID and MODEL_LAYOUT_INVALID */
  read(): Promise<LoadedConfig>;
}

/** @param path absolute path of config.json. */
export function configFileSource(path: string, fileSystem: ConfigFileSystem = NODE_FILE_SYSTEM): ConfigSource {
  return {
    async digest() {
      try {
        return digestOf(await fileSystem.readFile(path));
      } catch (cause) {
        throw new ServingError('CONFIG_FILE_UNREADABLE', `${path}: ${String(cause)}`, { cause });
      }
    },
    read: () => loadConfigFile(path, fileSystem),
  };
}

/** Flags do not change: after the first reading only the version directories are watched. */
export function singleModelSource(flags: SingleModelFlags, workingDirectory: string): ConfigSource {
  return {
    digest: () => Promise.resolve(''),
    read: async () => Promise.resolve(loadSingleModel(flags, workingDirectory)),
  };
}
