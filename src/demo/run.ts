import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * `make demo`: starts the server on the prepared model repository, classifies the prepared pictures with one pipeline call each,
 * shows the time line of one of these calls, and stops the server. Exit code 0 when every step went well.
 */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VINERY = join(ROOT, 'dist', 'vinery');
const CONFIG = join(ROOT, 'models', 'config.json');
const PICTURES = join(ROOT, 'models', 'pictures', 'imgs.npy');
const LABELS = join(ROOT, 'models', 'pictures', 'lbs.npy');
const PIPELINE = 'image_classification_pipeline';

process.exitCode = await demo();

async function demo(): Promise<number> {
  for (const file of [CONFIG, PICTURES, LABELS]) {
    if (existsSync(file)) continue;
    process.stderr.write(`expected ${file}, found nothing: run make models\n`);
    return 1;
  }
  const port = await freePort();
  process.stdout.write(`\n== server: vinery --config_path models/config.json --port ${port}\n`);
  const server = spawn(VINERY, ['--config_path', CONFIG, '--port', String(port), '--grpc_bind_address', '127.0.0.1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await readyToServe(server);
    process.stdout.write(`\n== client: vinery client predict --grpc_port ${port} --pipeline_name ${PIPELINE} ...\n`);
    return await run(VINERY, clientArguments(port));
  } finally {
    await stop(server);
  }
}

function clientArguments(port: number): string[] {
  return [
    ...['client', 'predict', '--grpc_address', '127.0.0.1', '--grpc_port', String(port)],
    ...['--pipeline_name', PIPELINE, '--input_name', 'image', '--output_name', 'label'],
    ...['--images_numpy_path', PICTURES, '--labels_numpy_path', LABELS],
    ...['--transpose_input', 'True', '--transpose_method', 'nchw2nhwc', '--timeline'],
  ];
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

function run(command: string, args: readonly string[]): Promise<number> {
  return exitCode(spawn(command, args, { stdio: 'inherit' }));
}

function exitCode(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** The demo must not fail because another program has its usual port. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
