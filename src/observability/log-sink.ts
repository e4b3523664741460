import { dirname } from 'node:path';
import sonicBoom from 'sonic-boom';
import { makeDirectories } from './make-directories.js';

/** Bytes kept while a destination takes nothing (disk full); beyond it lines are dropped, the server goes on. */
const MOST_PENDING_BYTES = 1 << 20;
/** Retries of 100 ms each while a pipe is full. Then its reader counts as stuck, and lines only try once until one gets through. */
const MOST_RETRIES = 5;

/** Standard output or a file, written line by line. Writing never throws. */
export interface LogSink {
  write(line: string): void;
  /** Writes what is still pending and lets go of the file. */
  close(): void;
}

/**
 * Every line is handed to the system before `write` returns, so that nothing is lost when the process ends at once. Several
 * threads may have a sink each on the same destination: files are opened to append and a line is one write.
 * @param destination path of a file, which is made with its directories, or a file descriptor, which stays open.
 * @throws the system's error when the file cannot be opened.
 */
export function openLogSink(destination: string | number): LogSink {
  if (typeof destination === 'string') makeDirectories(dirname(destination));
  let open = true;
  let retries = 0;
  let lostLines = 0;
  const stream = new sonicBoom.SonicBoom({
    ...(typeof destination === 'number' ? { fd: destination } : { dest: destination }),
    sync: true,
    append: true,
    maxLength: MOST_PENDING_BYTES,
    retryEAGAIN: () => ++retries <= MOST_RETRIES,
  });
  stream.on('drop', () => lostLines++);
  // A retry that took nothing is reported as a write of 0 bytes.
  stream.on('write', (bytes: number) => {
    if (bytes > 0) retries = 0;
  });
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody reads the other end any more, and nobody will again. After other faults the next line tries again.
    if (error.code === 'EPIPE' || error.code === 'EBADF') open = false;
  });
  const writeWithLosses = (line: string): void => {
    const before = lostLines;
    lostLines = 0;
    stream.write(before === 0 ? line : `${before} log lines before this one could not be written\n${line}`);
    if (lostLines > 0) lostLines += before;
  };
  return {
    write(line) {
      if (open) writeWithLosses(line);
    },
    close() {
      if (!open) return;
      flush(stream);
      open = false;
      if (typeof destination === 'string') stream.destroy();
    },
  };
}

/** Unlike `write`, which reports by event, `flushSync` throws. */
function flush(stream: sonicBoom.SonicBoom): void {
  try {
    stream.flushSync();
  } catch {
    // The destination takes nothing, as the error event has said before; there is no other place for these lines.
  }
}
