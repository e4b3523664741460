import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ServingError } from '../errors.js';
import { openVersion, readDirectories, scanVersions } from './repository.js';

/**
 * Paths of the models below a repository, relative to it, sorted. A directory is a model when one of its version directories
 * holds a model; nothing below a model is searched (as OVMS 2026.2.1 for `--list_models`).
 * @throws ServingError PATH_INVALID when the repository cannot be read; unreadable directories below it are left out.
 */
export async function listModels(repositoryPath: string): Promise<string[]> {
  const found: string[] = [];
  const visited = new Set<string>();
  const visit = async (directory: string): Promise<void> => {
    const real = await realpath(directory);
    // Links may lead in circles.
    if (visited.has(real)) return;
    visited.add(real);
    if (await isModel(directory)) {
      found.push(relative(repositoryPath, directory) || '.');
      return;
    }
    for (const name of await readDirectories(directory)) {
      await unlessRefused(() => visit(join(directory, name)));
    }
  };
  await readDirectories(repositoryPath);
  await visit(repositoryPath);
  return found.sort();
}

/** What `--list_models` prints. */
export function listingText(repositoryPath: string, models: readonly string[]): string {
  return ['Listing models in repository...', `Model repository path: ${repositoryPath}`, ...models].join('\n');
}

async function isModel(directory: string): Promise<boolean> {
  const { versions } = await scanVersions(directory);
  for (const version of versions) {
    if (await unlessRefused(() => openVersion(directory, version))) return true;
  }
  return false;
}

/** `undefined` where the repository refuses: for a listing, a directory that cannot be read or served is no model. */
async function unlessRefused<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof ServingError) return undefined;
    throw error;
  }
}
