import { basename } from 'node:path';

/** V8's settings of all stack traces; they are put back before anybody else can see them. */
const stackTraces: {
  prepareStackTrace?: ((error: Error, sites: NodeJS.CallSite[]) => unknown) | undefined;
  stackTraceLimit: number;
} = Error;

/**
 * `<file>:<line>` of the code that called `below`. Costs microseconds: only for lines that are printed.
 * The name is that of the source (`.ts`); the line is that of the compiled file.
 * @param skip callers to leave out, nearest first.
 */
export function callSite(below: (...args: never[]) => unknown, skip = 0): string {
  const { prepareStackTrace, stackTraceLimit } = stackTraces;
  const holder: { stack?: unknown } = {};
  try {
    stackTraces.stackTraceLimit = skip + 1;
    stackTraces.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, below);
    // The stack is made on this read, by the function above.
    const site = (holder.stack as NodeJS.CallSite[])[skip];
    return site ? `${sourceName(site.getFileName())}:${site.getLineNumber() ?? 0}` : 'unknown:0';
  } finally {
    stackTraces.prepareStackTrace = prepareStackTrace;
    stackTraces.stackTraceLimit = stackTraceLimit;
  }
}

function sourceName(file: string | null | undefined): string {
  return file ? basename(file).replace(/\.js$/, '.ts') : 'unknown';
}
