import { threadId } from 'node:worker_threads';
import { ServingError } from '../errors.js';
import { callSite } from './call-site.js';
import { LOG_LEVELS, type LogLevel } from './log-level.js';
import { formatLine } from './log-line.js';
import { openLogSink, type LogSink } from './log-sink.js';
import { boundedEntry } from '../texts.js';

/** Names in the third bracket of a line (as OVMS 2026.2.1). */
export type LoggerName =
  'serving' | 'modelmanager' | 'dag_executor' | 'sequence_manager' | 'gcs' | 'azurestorage' | 's3';

export interface LoggingOptions {
  readonly level: LogLevel;
  /** Lines also go to this file; `null`: only to standard output. */
  readonly path: string | null;
  /** File descriptor of standard output; `null` for programs that embed the server and want it silent. Default 1. */
  readonly stdout?: number | null;
}

const SEVERITY = { TRACE: 0, DEBUG: 1, INFO: 2, WARNING: 3, ERROR: 4, CRITICAL: 5 } as const;
type Severity = keyof typeof SEVERITY;
const PRINTED = LOG_LEVELS.map((level) => level.toLowerCase()).concat('critical');

const STDOUT = 1;
/** Between the caller and `print` stands one method of {@link Logger}. */
const FRAMES_OF_LOGGER = 1;

let threshold: number = SEVERITY.INFO;
let sinks: readonly LogSink[] | null = null;

/**
 * Sets level and destinations of this thread; each thread calls it once, before its first line. Until then lines of INFO and
 * above go to standard output.
 * @throws ServingError CONFIG_VALUE_INVALID when the file cannot be opened; the earlier configuration stays.
 */
export function configureLogging({ level, path, stdout = STDOUT }: LoggingOptions): void {
  const opened = [...(stdout === null ? [] : [openLogSink(stdout)]), ...(path === null ? [] : [openFile(path)])];
  closeSinks();
  sinks = opened;
  threshold = SEVERITY[level];
}

/** Whether a line of this level is printed. Guards hot paths that would have to make the text first. */
export function isEnabled(level: LogLevel): boolean {
  return SEVERITY[level] >= threshold;
}

/** Writes lines under one name, of bounded length. A suppressed line costs one comparison, a printed one a system call a destination. */
export class Logger {
  constructor(readonly name: LoggerName) {}

  trace(text: string): void {
    if (SEVERITY.TRACE >= threshold) print(this.name, 'TRACE', text);
  }

  debug(text: string): void {
    if (SEVERITY.DEBUG >= threshold) print(this.name, 'DEBUG', text);
  }

  info(text: string): void {
    if (SEVERITY.INFO >= threshold) print(this.name, 'INFO', text);
  }

  warning(text: string): void {
    if (SEVERITY.WARNING >= threshold) print(this.name, 'WARNING', text);
  }

  error(text: string): void {
    print(this.name, 'ERROR', text);
  }

  critical(text: string): void {
    print(this.name, 'CRITICAL', text);
  }
}

/** The loggers of the server: `log.serving.info('...')`. */
export const log = {
  serving: new Logger('serving'),
  modelmanager: new Logger('modelmanager'),
  dagExecutor: new Logger('dag_executor'),
  sequenceManager: new Logger('sequence_manager'),
  gcs: new Logger('gcs'),
  azureStorage: new Logger('azurestorage'),
  s3: new Logger('s3'),
} as const;

function print(logger: LoggerName, severity: Severity, text: string): void {
  const level = PRINTED[SEVERITY[severity]] ?? '';
  const line = formatLine({
    time: Date.now(),
    threadId,
    logger,
    level,
    site: callSite(print, FRAMES_OF_LOGGER),
    text: boundedEntry(text),
  });
  sinks ??= [openLogSink(STDOUT)];
  for (const sink of sinks) sink.write(line);
}

function openFile(path: string): LogSink {
  try {
    return openLogSink(path);
  } catch (cause) {
    throw new ServingError(
      'CONFIG_VALUE_INVALID',
      `--log_path: expected a file that can be written: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

function closeSinks(): void {
  for (const sink of sinks ?? []) sink.close();
  sinks = null;
}

// Lines are written at once; this is for those a full pipe or disk has held back.
process.once('exit', closeSinks);
