import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { coresOfSocket, isContainer, quotaCores } from './container.js';
import type { Host } from './host.js';

/** The machine this process runs on, as the command line wants to know it. */
export function machine(): Host {
  // Node.js 20 knows the affinity only; later ones know the quota, too.
  const cores = Math.min(availableParallelism(), quotaCores(readText));
  return {
    cores,
    inferenceThreads: isContainer(readText) ? Math.min(cores, coresOfSocket(readText)) : null,
    maxOpenFiles: openFilesLimit(),
    workingDirectory: process.cwd(),
    fileExists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
    directoryExists: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false,
    fileReadable,
  };
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Whatever keeps it from being read: for what it is asked, it is not there.
    return null;
  }
}

/** Node offers no getrlimit; its diagnostic report does. */
function openFilesLimit(): number {
  const report = process.report.getReport() as unknown as {
    readonly userLimits?: { readonly open_files?: { readonly soft: number | string } };
  };
  const limit = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(limit) ? limit : Infinity;
}

function fileReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    // Any reason will do: the caller reports the path.
    return false;
  }
}
