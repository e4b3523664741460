import type { CommanderError } from 'commander';
import { ServingError } from '../errors.js';
import { ClientError } from './client-error.js';
import type { ClientStreams } from './client-streams.js';

/** As Python's argparse, whose exit code scripts of OVMS's sample clients know. */
const EXIT_USAGE = 2;
const EXIT_FAILURE = 1;

/**
 * Runs `vinery client <argv>`. Command line and gRPC code are loaded here, so that a starting server does not pay for them.
 * @param argv The words behind `vinery client`.
 * @returns The exit code: 0, 1 when the server, a file or an output name was wrong, 2 when the command line was.
 */
export async function runClient(argv: readonly string[], io: ClientStreams): Promise<number> {
  const { clientProgram } = await import('./client-program.js');
  let exitCode = 0;
  const program = clientProgram(io, (code) => (exitCode = code));
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    return failure(error, io);
  }
  return exitCode;
}

function failure(error: unknown, io: ClientStreams): number {
  // Commander has printed its message already; help ends this way too, with exit code 0.
  if (isCommanderError(error)) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  if (error instanceof ClientError || error instanceof ServingError) {
    io.stderr.write(`${error.message}\n`);
    return EXIT_FAILURE;
  }
  throw error;
}

function isCommanderError(error: unknown): error is CommanderError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('commander.');
}
