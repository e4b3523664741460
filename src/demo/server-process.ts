import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.js';

/**
 * Runs `use` against a server process of its own, on a port that is free, and stops it. What the server prints is printed.
 * @param use gets the gRPC port once all servables were loaded, or have failed to.
 * @throws Error when the server ends before that.
 */
export async function withServer<T>(vinery: string, config: string, use: (port: number) => Promise<T>): Promise<T> {
  const port = await freePort();
  process.stdout.write(`\n== server: vinery --config_path ${config} --port ${port}\n`);
  const server = spawn(vinery, ['--config_path', config, '--port', String(port), '--grpc_bind_address', '127.0.0.1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await readyToServe(server);
    return await use(port);
  } finally {
    await stop(server);
  }
}

/** Prints the server's lines and resolves at the one that says that all servables were loaded. */
function readyToServe(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    createInterface({ input: server.stdout! }).on('line', (line) => {
      process.stdout.write(`${line}\n`);
      if (line.includes('ServableManagerModule started')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`expected the server to start, it ended with exit code ${code}`)));
  });
}

async function stop(server: ChildProcess): Promise<void> {
  server.removeAllListeners('exit');
  if (server.exitCode !== null) return;
  const ended = exitCode(server);
  server.kill('SIGTERM');
  process.stdout.write(`== server ended with exit code ${await ended}\n`);
}

export function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
