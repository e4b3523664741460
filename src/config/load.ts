import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ServingError } from '../errors.js';
import { resolveBasePath } from './base-path.js';
import { deepFreeze } from './deep-freeze.js';
import { makeModelSettings } from './model-settings.js';
import { makePipelineSettings } from './pipeline-settings.js';
import { ConfigFile } from './schema.js';
import { checkSchema } from './schema-check.js';
import type { InvalidEntry, LibrarySettings, LoadedConfig, ModelSettings } from './settings.js';

/** What loading needs of the machine; tests give their own. */
export interface ConfigFileSystem {
  /** The bytes of a file; rejects with the system's error. */
  readFile(path: string): Promise<Uint8Array>;
  sleep(milliseconds: number): Promise<void>;
}

export const NODE_FILE_SYSTEM: ConfigFileSystem = { readFile: (path) => readFile(path), sleep: (time) => delay(time) };

const TRIES = 3;
const MILLISECONDS_BETWEEN_TRIES = 10;

/**
 * Reads, checks and completes config.json. A file that is missing or not JSON is tried three times, 10 ms apart, because an
 * editor may be writing it (as OVMS 2026.2.1). One bad model leaves the others usable; a bad file is refused whole.
 * @param path absolute path of config.json; relative base paths belong to its directory.
 * @throws ServingError CONFIG_FILE_UNREADABLE, CONFIG_JSON_INVALID, CONFIG_SCHEMA_INVALID, CONFIG_VALUE_INVALID
 */
export async function loadConfigFile(
  path: string,
  fileSystem: ConfigFileSystem = NODE_FILE_SYSTEM,
): Promise<LoadedConfig> {
  const { bytes, json } = await readJson(path, fileSystem);
  return makeLoadedConfig(checkSchema(ConfigFile, json, 'CONFIG_SCHEMA_INVALID'), dirname(path), digestOf(bytes));
}

/** Changes when the bytes do; what the watcher compares with {@link LoadedConfig.digest}. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function readJson(path: string, fileSystem: ConfigFileSystem): Promise<{ bytes: Uint8Array; json: unknown }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const bytes = await readBytes(path, fileSystem);
      return { bytes, json: parseJson(bytes, path) };
    } catch (error) {
      if (attempt === TRIES) throw error;
      await fileSystem.sleep(MILLISECONDS_BETWEEN_TRIES);
    }
  }
}

async function readBytes(path: string, fileSystem: ConfigFileSystem): Promise<Uint8Array> {
  try {
    return await fileSystem.readFile(path);
  } catch (cause) {
    throw new ServingError('CONFIG_FILE_UNREADABLE', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new ServingError('CONFIG_JSON_INVALID', `${path}: ${messageOf(cause)}`, { cause });
  }
}

function makeLoadedConfig(file: ConfigFile, directory: string, digest: string): LoadedConfig {
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const metrics = file.monitoring?.metrics;
  return deepFreeze({
    models: withoutDuplicates(makeModels(file, directory, warn), quotedName, warn),
    pipelines: withoutDuplicates(
      (file.pipeline_config_list ?? []).map((pipeline, index) =>
        makePipelineSettings(pipeline, { jsonPath: `/pipeline_config_list/${index}`, directory, warn }),
      ),
      ({ name, version }) => (version === null ? JSON.stringify(name) : `${JSON.stringify(name)} version ${version}`),
      warn,
    ),
    libraries: withoutDuplicates(makeLibraries(file, directory), quotedName, warn),
    loaders: refusedLoaders(file),
    monitoring: metrics ? { enabled: metrics.enable, names: metrics.metrics_list ?? null } : null,
    warnings,
    digest,
  });
}

function makeModels(
  file: ConfigFile,
  directory: string,
  warn: (text: string) => void,
): (ModelSettings | InvalidEntry)[] {
  return file.model_config_list.map(({ config }, index) => {
    const jsonPath = `/model_config_list/${index}/config`;
    const at = (key: string): string => `${jsonPath}/${key}`;
    return orInvalid(config.name, jsonPath, () =>
      makeModelSettings(config, {
        jsonPath,
        at,
        directory,
        onBadValue: (fault, instead) => warn(`${fault}; ${instead}`),
        warn,
      }),
    );
  });
}

function makeLibraries(file: ConfigFile, directory: string): (LibrarySettings | InvalidEntry)[] {
  return (file.custom_node_library_config_list ?? []).map(({ name, base_path }, index) => {
    const jsonPath = `/custom_node_library_config_list/${index}`;
    return orInvalid(name, jsonPath, () => ({
      name,
      jsonPath,
      basePath: resolveBasePath(base_path, directory, `${jsonPath}/base_path`),
    }));
  });
}

/** Models that use one are refused by themselves. */
function refusedLoaders(file: ConfigFile): InvalidEntry[] {
  return (file.custom_loader_config_list ?? []).map(({ config }, index) => {
    const jsonPath = `/custom_loader_config_list/${index}/config`;
    const detail = `${jsonPath}: expected no entry (custom loaders are not supported)`;
    return { name: config.loader_name, jsonPath, error: new ServingError('CONFIG_VALUE_INVALID', detail) };
  });
}

function orInvalid<T>(name: string, jsonPath: string, make: () => T): T | InvalidEntry {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ServingError)) throw error;
    return { name, jsonPath, error };
  }
}

function quotedName({ name }: { readonly name: string }): string {
  return JSON.stringify(name);
}

/** The first entry wins (as OVMS 2026.2.1). */
function withoutDuplicates<T extends { readonly jsonPath: string }>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
  warn: (text: string) => void,
): T[] {
  const first = new Map<string, T>();
  for (const entry of entries) {
    const name = nameOf(entry);
    const earlier = first.get(name);
    if (earlier) warn(`${entry.jsonPath}: name ${name} is taken by ${earlier.jsonPath}; this entry is left out`);
    else first.set(name, entry);
  }
  return [...first.values()];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
