import { spawnSync, type SpawnSyncReturns, type StdioOptions } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LOGGER = import.meta.resolve('#src/observability/logger.js');

/** Runs a script in a process of its own; `configureLogging`, `isEnabled`, `log` and `LOGGER` (address of the module) are known. */
export function runLogging(script: string, stdio: StdioOptions = 'pipe'): SpawnSyncReturns<string> {
  const source = `import { configureLogging, isEnabled, log } from '${LOGGER}'; const LOGGER = '${LOGGER}';\n${script}`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8', stdio });
}

/** A path for a log file in a directory that is removed afterwards. */
export async function withLogFile(use: (path: string, read: () => Promise<string[]>) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'log-'));
  const path = join(directory, 'deep', 'server.log');
  try {
    await use(path, async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The text of a line behind its five brackets. */
export function textOf(line: string): string {
  const match = /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]\[\d+\]\[\w+\]\[\w+\]\[[^ ]+:\d+\] (.*)$/.exec(line);
  if (!match) throw new Error(`not a log line: ${line}`);
  return match[1] ?? '';
}
