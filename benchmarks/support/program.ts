import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** How long a program may run, and what ends it before. */
export interface ProgramLimits {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Runs a program to its end and returns the last line it printed.
 * @throws Error with what it wrote to standard error, when it fails, prints nothing, or takes too long
 */
export async function lastLineOf(command: string, args: readonly string[], limits: ProgramLimits): Promise<string> {
  const { stdout } = await execute(command, args, {
    signal: limits.signal,
    timeout: limits.timeoutMs,
    killSignal: 'SIGKILL',
  }).catch((error: unknown) => {
    throw new Error(reason(error, limits.timeoutMs), { cause: error });
  });
  const line = stdout.trimEnd().split('\n').at(-1);
  if (line === undefined || line === '') throw new Error(`${command} printed nothing`);
  return line;
}

function reason(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  const { stderr, killed } = error as Error & { readonly stderr?: string; readonly killed?: boolean };
  if (killed === true) return `took longer than ${timeoutMs / 1000} seconds: ${error.message}`;
  return stderr === undefined || stderr === '' ? error.message : stderr.trimEnd();
}
