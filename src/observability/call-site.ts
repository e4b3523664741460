import { basename } from 'node:path';

/**
 * `<file>:<line>` of the code that called `below`. Costs about a microsecond: only for lines that are printed.
 * The name is that of the source (`.ts`); the line is that of the compiled file.
 */
export function callSite(below: (...args: never[]) => unknown): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, below);
    // The stack is made on this read, by the function above.
    const [site] = holder.stack as NodeJS.CallSite[];
    return site ? `${sourceName(site.getFileName())}:${site.getLineNumber() ?? 0}` : 'unknown:0';
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function sourceName(file: string | null | undefined): string {
  return file ? basename(file).replace(/\.js$/, '.ts') : 'unknown';
}
