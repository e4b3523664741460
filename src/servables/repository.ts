import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ServingError } from '../errors.js';
import { findModelFile, missingModelFile, type ModelFile } from './model-file.js';
import { readMapping, type ModelMapping } from './model-mapping.js';
import { shown } from '../texts.js';

/** One look at the version directories of a model. */
export interface VersionScan {
  /** Ascending. */
  readonly versions: readonly number[];
  /** One text a directory that is no version, and one when there is no version at all. */
  readonly warnings: readonly string[];
}

/** What is needed to read one version. */
export interface RepositoryVersion {
  readonly version: number;
  readonly directory: string;
  readonly modelFile: ModelFile;
  readonly mapping: ModelMapping;
}

/**
 * Versions of a model are the directories (or links to directories) whose name is a positive integer. OVMS 2026.2.1 also reads
 * `3abc` as 3; here such names are skipped with a warning, because two directories could then be the same version.
 * @param basePath absolute local directory.
 * @throws ServingError PATH_INVALID when it is missing, no directory, or unreadable.
 */
export async function scanVersions(basePath: string): Promise<VersionScan> {
  return versionsAmong(await readDirectories(basePath), basePath);
}

/** The versions among the names of the directories at `where`. */
export function versionsAmong(names: readonly string[], where: string): VersionScan {
  const versions: number[] = [];
  const warnings: string[] = [];
  for (const name of names) {
    const version = parseVersion(name);
    if (version === null) {
      warnings.push(`Expected version directory name to be a positive integer, received ${shown(name)} in ${where}`);
    } else {
      versions.push(version);
    }
  }
  if (versions.length === 0) warnings.push(`No version found for model in path: ${where}`);
  return { versions: versions.sort((left, right) => left - right), warnings: warnings.sort() };
}

/**
 * Finds what a version directory holds. Nothing of the model is read.
 * @throws ServingError PATH_INVALID without the directory, FILE_INVALID without a model file, MODEL_MAPPING_INVALID
 */
export async function openVersion(basePath: string, version: number): Promise<RepositoryVersion> {
  const directory = join(basePath, String(version));
  const entries = await readEntries(directory);
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const modelFile = findModelFile(directory, names);
  if (!modelFile) throw missingModelFile(directory, names);
  return { version, directory, modelFile, mapping: await readMapping(directory) };
}

/**
 * Names of the directories, and links to directories, in a directory.
 * @throws ServingError PATH_INVALID
 */
export async function readDirectories(directory: string): Promise<string[]> {
  const entries = await readEntries(directory);
  const areDirectories = await Promise.all(entries.map((entry) => isDirectory(directory, entry)));
  return entries.filter((_, index) => areDirectories[index]).map((entry) => entry.name);
}

function parseVersion(name: string): number | null {
  const version = /^[1-9]\d*$/.test(name) ? Number(name) : NaN;
  return Number.isSafeInteger(version) ? version : null;
}

async function readEntries(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new ServingError(
      'PATH_INVALID',
      `expected a readable directory, received ${directory} (${code ?? message})`,
      { cause },
    );
  }
}

async function isDirectory(parent: string, entry: Dirent): Promise<boolean> {
  if (entry.isDirectory()) return true;
  if (!entry.isSymbolicLink()) return false;
  try {
    return (await stat(join(parent, entry.name))).isDirectory();
  } catch {
    // A link to nothing is no version; the target may appear before the next scan.
    return false;
  }
}
