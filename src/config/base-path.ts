import { isAbsolute, join, resolve } from 'node:path';
import { ServingError } from '../errors.js';
import { shown } from '../texts.js';

const CLOUD_PREFIXES = ['s3://', 'gs://', 'az://', 'azfs://'];

export function isCloudPath(path: string): boolean {
  return CLOUD_PREFIXES.some((prefix) => path.startsWith(prefix));
}

/**
 * The absolute form of a path as written: relative ones belong to `directory` (of config.json, or the working directory for
 * flags); cloud addresses stay. Paths that climb with `..` are refused (as OVMS 2026.2.1).
 * @throws ServingError PATH_INVALID; `where` opens its detail.
 */
export function resolveBasePath(written: string, directory: string, where: string): string {
  if (written.startsWith('../') || written.endsWith('/..') || written.includes('/../') || written === '..') {
    throw new ServingError('PATH_INVALID', `${where}: expected a path without .., received ${shown(written)}`);
  }
  if (isCloudPath(written) || isAbsolute(written)) return written;
  return resolve(join(directory, written));
}
