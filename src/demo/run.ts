import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCode, withServer } from './server-process.js';

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
  return withServer(VINERY, CONFIG, (port) => {
    process.stdout.write(`\n== client: vinery client predict --grpc_port ${port} --pipeline_name ${PIPELINE} ...\n`);
    return exitCode(spawn(VINERY, clientArguments(port), { stdio: 'inherit' }));
  });
}

function clientArguments(port: number): string[] {
  return [
    ...['client', 'predict', '--grpc_address', '127.0.0.1', '--grpc_port', String(port)],
    ...['--pipeline_name', PIPELINE, '--input_name', 'image', '--output_name', 'label'],
    ...['--images_numpy_path', PICTURES, '--labels_numpy_path', LABELS],
    ...['--transpose_input', 'True', '--transpose_method', 'nchw2nhwc', '--timeline'],
  ];
}
