import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '#src/demo/free-port.js';
import { ROOT, VINERY } from './paths.js';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;
const ASK_EVERY_MS = 200;

/** What to start. */
export interface ServerCommand {
  readonly executable: string;
  /** @param port one that nobody listens on */
  readonly args: (port: number) => readonly string[];
  /** Part of the line that says that all is loaded, or a question that is repeated until the answer is yes. */
  readonly ready: string | ((port: number) => Promise<boolean>);
  /** Beside the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The server of this project with these flags. @param node arguments for Node.js itself: then it is not started by its script */
export function vinery(flags: readonly string[], node?: readonly string[]): ServerCommand {
  const before = node === undefined ? [] : [...node, `${ROOT}dist/main.js`];
  return {
    executable: node === undefined ? VINERY : process.execPath,
    args: (port) => [...before, ...flags, '--port', String(port), '--grpc_bind_address', '127.0.0.1'],
    ready: 'ServableManagerModule started',
  };
}

/** A server on a free port of 127.0.0.1, with its servables loaded. Whoever starts it stops it. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    this.#exit = new Promise((resolve) => child.once('exit', resolve));
  }

  /** @throws Error when it ends, or takes too long, before it has loaded its servables */
  static async start(
    { executable, args, ready, environment }: ServerCommand,
    signal: AbortSignal,
  ): Promise<ServerProcess> {
    const port = await freePort();
    const child = spawn(executable, args(port), {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...environment },
      signal,
    });
    // An abort is reported here, and to whoever waits for the benchmark.
    child.on('error', () => undefined);
    const server = new ServerProcess(child, port);
    try {
      await server.#loaded(ready);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to stop, then makes it stop. @returns the exit code, `null` when it had to be killed */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM');
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    try {
      return this.#child.pid === undefined ? null : await this.#exit;
    } finally {
      clearTimeout(kill);
    }
  }

  #loaded(ready: ServerCommand['ready']): Promise<void> {
    const lines: string[] = [];
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (what: string | null): void => {
        isOver = true;
        clearTimeout(limit);
        if (what === null) resolve();
        else reject(new Error(`the server ${what}; it printed:\n${lines.join('\n')}`));
      };
      const limit = setTimeout(() => end(`loaded nothing within ${START_LIMIT_MS / 1000} seconds`), START_LIMIT_MS);
      createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        if (!isOver) lines.push(line);
        if (typeof ready === 'string' && line.includes(ready)) end(null);
      });
      this.#child.once('error', (error) => end(`did not start: ${error.message}`));
      void this.#exit.then((code) => end(`ended with exit code ${code ?? 'none'}`));
      if (typeof ready !== 'string') void this.#ask(ready, () => isOver).then(() => end(null));
    });
  }

  async #ask(ready: (port: number) => Promise<boolean>, isOver: () => boolean): Promise<void> {
    while (!isOver() && !(await ready(this.port))) await delay(ASK_EVERY_MS);
  }
}
