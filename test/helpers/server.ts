import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '#src/demo/free-port.js';
import { TRANSPORT_FLAGS } from './transport.js';

/** The command under test. */
export const VINERY = fileURLToPath(new URL('../../../dist/vinery', import.meta.url));

/** A server process with its ports and what it printed. */
export interface ServerProcess {
  readonly process: ChildProcess;
  readonly grpcPort: number;
  readonly restPort: number;
  /** Lines of standard output so far. */
  readonly lines: readonly string[];
  /** Resolves with the first line, past or to come, that contains `text`; rejects when the server ends before. */
  line(text: string): Promise<string>;
  /** As {@link line}, with the first `count` such lines. */
  linesWith(text: string, count: number): Promise<readonly string[]>;
  /** Exit code once the process has ended, `null` when a signal that it did not handle ended it. */
  readonly exited: Promise<number | null>;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts `vinery` with the given flags on two free ports of 127.0.0.1, waits until its first load pass is over, and stops it when
 * `use` has ended, in whichever way.
 *
 * @param environment variables beside those of this process.
 */
export async function withServerProcess<T>(
  flags: readonly string[],
  use: (server: ServerProcess) => Promise<T>,
  environment: NodeJS.ProcessEnv = {},
): Promise<T> {
  const server = await startServerProcess(flags, environment);
  try {
    await server.line('ServableManagerModule started');
    return await use(server);
  } finally {
    await server.stop();
  }
}

/**
 * As {@link withServerProcess}, without waiting for the servables; the caller stops it.
 *
 * @param environment variables beside those of this process.
 */
export async function startServerProcess(
  flags: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> {
  const [grpcPort, restPort] = (await freePorts(2)) as [number, number];
  const bind = ['--grpc_bind_address', '127.0.0.1', '--rest_bind_address', '127.0.0.1'];
  const ports = ['--port', String(grpcPort), '--rest_port', String(restPort)];
  const transport = flags.includes('--grpc_transport') ? [] : TRANSPORT_FLAGS;
  const child = spawn(VINERY, [...bind, ...ports, ...transport, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    wake();
  });
  // 'close' comes after the last line of its output, 'exit' may come before.
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  let ended = false;
  child.once('close', () => {
    ended = true;
    wake();
  });
  const linesWith = (text: string, count: number): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = lines.filter((line) => line.includes(text));
        if (found.length < count && !ended) return;
        waiting.delete(check);
        if (found.length >= count) resolve(found.slice(0, count));
        else
          reject(
            new Error(`the server ended with ${child.exitCode} before it printed "${text}":\n${lines.join('\n')}`),
          );
      };
      waiting.add(check);
      check();
    });
  return {
    process: child,
    grpcPort,
    restPort,
    lines,
    line: async (text) => (await linesWith(text, 1))[0]!,
    linesWith,
    exited,
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/**
 * Runs `use` while the server stands still, and lets it go on when that has ended, in whichever way: it meets all that was sent
 * meanwhile at once.
 */
export async function whileSuspended<T>({ process: server }: ServerProcess, use: () => Promise<T>): Promise<T> {
  server.kill('SIGSTOP');
  try {
    // The signal is on its way when `kill` returns: a thread that waits for events may still be given those of now.
    while (!hasStopped(server.pid!)) await turn();
    return await use();
  } finally {
    server.kill('SIGCONT');
  }
}

/** Whether each thread of a process is stopped: proc(5), third field of `stat`, behind a name that may hold anything. */
function hasStopped(pid: number): boolean {
  const threads = `/proc/${pid}/task`;
  return readdirSync(threads).every((thread) => {
    const stat = readFileSync(`${threads}/${thread}/stat`, 'utf8');
    return stat.startsWith('T', stat.lastIndexOf(')') + 2);
  });
}
