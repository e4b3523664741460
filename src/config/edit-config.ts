import { randomUUID } from 'node:crypto';
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { ServingError } from '../errors.js';
import type { EditConfigSettings } from './parsed-command.js';
import { ConfigFile } from './schema.js';
import { checkSchema } from './schema-check.js';

/** What the command prints on standard output, and whether it ends with 0 or 1. */
export interface EditOutcome {
  readonly succeeded: boolean;
  readonly text: string;
}

const INDENTATION = 4;

/**
 * Adds one model to a config file, which is made when it is absent, or removes one; then writes the file anew, indented (as OVMS
 * 2026.2.1). A server that watches the file sees the old or the new content, never a part.
 */
export async function editConfig(settings: EditConfigSettings): Promise<EditOutcome> {
  const { configPath } = settings;
  try {
    const file = await readConfig(settings);
    await replaceFile(configPath, `${JSON.stringify(edited(file, settings), null, INDENTATION)}\n`);
    return { succeeded: true, text: `Config updated: ${configPath}` };
  } catch (error) {
    // Faults of the file and of the system are for the user; anything else is a bug.
    if (!(error instanceof Error && 'code' in error)) throw error;
    const known = error instanceof ServingError ? error : new ServingError('CONFIG_FILE_UNREADABLE', error.message);
    return { succeeded: false, text: `${configPath} error on config update : ${known.message}` };
  }
}

async function readConfig({ configPath, action }: EditConfigSettings): Promise<ConfigFile> {
  let text: string;
  try {
    text = await readFile(configPath, 'utf8');
  } catch (cause) {
    if (action === 'add' && (cause as NodeJS.ErrnoException).code === 'ENOENT') return { model_config_list: [] };
    throw new ServingError('CONFIG_FILE_UNREADABLE', (cause as Error).message, { cause });
  }
  return checkSchema(ConfigFile, parseJson(text), 'CONFIG_SCHEMA_INVALID');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServingError('CONFIG_JSON_INVALID', (cause as Error).message, { cause });
  }
}

function edited(file: ConfigFile, { action, modelName, modelPath }: EditConfigSettings): ConfigFile {
  const models = file.model_config_list;
  const others = models.filter(({ config }) => config.name !== modelName);
  const isListed = others.length < models.length;
  if (action === 'remove') {
    if (!isListed) throw new ServingError('MODEL_NAME_MISSING');
    return { ...file, model_config_list: others };
  }
  if (isListed) throw new ServingError('MODEL_NAME_OCCUPIED');
  const entry = { config: { name: modelName, base_path: modelPath ?? '' } };
  return { ...file, model_config_list: [...models, entry] };
}

/** Through a second file beside it, with the rights of the first. Links stay links. */
async function replaceFile(path: string, content: string): Promise<void> {
  const existing = await existingFile(path);
  if (!existing) return writeFile(path, content);
  const temporary = `${existing.path}.${randomUUID()}`;
  try {
    await writeFile(temporary, content);
    await chmod(temporary, existing.mode);
    await rename(temporary, existing.path);
  } catch (error) {
    await rm(temporary, { force: true });
    // A file that is mounted into a container by itself cannot be replaced, and its directory may be read-only.
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EBUSY', 'EACCES', 'EROFS', 'EPERM'].includes(code)) throw error;
    await writeFile(existing.path, content);
  }
}

async function existingFile(path: string): Promise<{ path: string; mode: number } | null> {
  try {
    return { path: await realpath(path), mode: (await stat(path)).mode };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
