import { readFile } from 'node:fs/promises';

import { digestOf } from '../../config/load.js';

/** Digests of files by path. A file that cannot be read has one too, so that its coming and going is a change. */
export type FileDigests = ReadonlyMap<string, string>;

/** Reads a file; rejects with the system's error. Tests give their own. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

export async function digestFiles(paths: Iterable<string>, read: ReadFile = readFile): Promise<FileDigests> {
  const unique = [...new Set(paths)];
  const digests = await Promise.all(unique.map((path) => digestFile(path, read)));
  return new Map(unique.map((path, index) => [path, digests[index]!]));
}

/** Whether a file is other than it was when `digests` were made. */
export async function haveChanged(digests: FileDigests, read: ReadFile = readFile): Promise<boolean> {
  if (digests.size === 0) return false;
  const now = await digestFiles(digests.keys(), read);
  return [...digests].some(([path, digest]) => now.get(path) !== digest);
}

async function digestFile(path: string, read: ReadFile): Promise<string> {
  try {
    return digestOf(await read(path));
  } catch (error) {
    return `unreadable: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
  }
}
