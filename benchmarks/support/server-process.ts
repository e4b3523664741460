import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { freePort } from '#src/demo/free-port.js';

const LOADED = 'ServableManagerModule started';
const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;

/** What to start: an executable with the arguments that come before the port. */
export interface ServerCommand {
  readonly executable: string;
  readonly args: readonly string[];
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
  static async start({ executable, args }: ServerCommand, signal: AbortSignal): Promise<ServerProcess> {
    const port = await freePort();
    const address = ['--port', String(port), '--grpc_bind_address', '127.0.0.1'];
    const child = spawn(executable, [...args, ...address], { stdio: ['ignore', 'pipe', 'inherit'], signal });
    // An abort is reported here, and to whoever waits for the benchmark.
    child.on('error', () => undefined);
    const server = new ServerProcess(child, port);
    try {
      await server.#loaded();
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid!;
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

  #loaded(): Promise<void> {
    const lines: string[] = [];
    return new Promise((resolve, reject) => {
      const fail = (what: string): void => reject(new Error(`the server ${what}; it printed:\n${lines.join('\n')}`));
      const limit = setTimeout(() => fail(`loaded nothing within ${START_LIMIT_MS / 1000} seconds`), START_LIMIT_MS);
      createInterface({ input: this.#child.stdout! }).on('line', (line) => {
        lines.push(line);
        if (line.includes(LOADED)) {
          clearTimeout(limit);
          resolve();
        }
      });
      this.#child.once('error', (error) => fail(`did not start: ${error.message}`));
      void this.#exit.then((code) => {
        clearTimeout(limit);
        fail(`ended with exit code ${code ?? 'none'}`);
      });
    });
  }
}
