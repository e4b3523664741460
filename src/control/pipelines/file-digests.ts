import { readFile } from 'node:fs/promises';

import { digestOf } from '../../config/load.js';

/** Digests of files by path. A file that cannot be read has one too, so that its coming and going is a change. */
export type FileDigests = ReadonlyMap<string, string>;

export async function digestFiles(paths: Iterable<string>): Promise<FileDigests> {
  const unique = [...new Set(paths)];
  const digests = await Promise.all(unique.map(digestFile));
  return new Map(unique.map((path, index) => [path, digests[index]!]));
}

/** Whether a file is other than it was when `digests` were made. */
export async function haveChanged(digests: FileDigests): Promise<boolean> {
  if (digests.size === 0) return false;
  const now = await digestFiles(digests.keys());
  return [...digests].some(([path, digest]) => now.get(path) !== digest);
}

async function digestFile(path: string): Promise<string> {
  try {
    return digestOf(await readFile(path));
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}
