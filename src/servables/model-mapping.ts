import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { checkSchema } from '../config/schema-check.js';
import { ServingError } from '../errors.js';

/** Names clients and pipelines use instead of the tensor names of a model. Tensors without an entry keep their own. */
export interface ModelMapping {
  readonly inputs: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
}

export const MAPPING_FILE = 'mapping_config.json';
const NO_MAPPING: ModelMapping = { inputs: new Map(), outputs: new Map() };

const Names = Type.Optional(Type.Record(Type.String(), Type.String({ minLength: 1 })));
const MappingFile = Type.Object({ inputs: Names, outputs: Names }, { additionalProperties: false });

/**
 * Reads the optional mapping file of a version directory.
 * @throws ServingError MODEL_MAPPING_INVALID: unreadable, not JSON, not as the schema says, or one exposed name given twice.
 */
export async function readMapping(directory: string): Promise<ModelMapping> {
  const path = join(directory, MAPPING_FILE);
  const text = await readOptional(path);
  if (text === null) return NO_MAPPING;
  try {
    const { inputs, outputs } = checkSchema(MappingFile, JSON.parse(text), 'MODEL_MAPPING_INVALID');
    return { inputs: uniqueNames('inputs', inputs), outputs: uniqueNames('outputs', outputs) };
  } catch (cause) {
    const reason = cause instanceof ServingError ? cause.detail : (cause as Error).message;
    throw new ServingError('MODEL_MAPPING_INVALID', `${path}: ${reason}`, { cause });
  }
}

async function readOptional(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new ServingError('MODEL_MAPPING_INVALID', `${path}: ${(cause as Error).message}`, { cause });
  }
}

function uniqueNames(key: string, names: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  for (const [tensor, exposed] of Object.entries(names)) {
    const earlier = taken.get(exposed);
    if (earlier !== undefined) {
      throw new ServingError(
        'MODEL_MAPPING_INVALID',
        `/${key}: expected different names, received "${exposed}" for both "${earlier}" and "${tensor}"`,
      );
    }
    taken.set(exposed, tensor);
  }
  return new Map(Object.entries(names));
}
