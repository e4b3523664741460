import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Connection } from '../client/connection.js';
import { readNpy } from '../client/npy.js';
import { readText, type TextLine } from './read-text.js';
import { withServer } from './server-process.js';

/**
 * `make ocr`: starts the server on the pipeline that reads text, lets it read the prepared pictures, compares with what was written
 * there, and stops the server. Exit code 0 when every line was read to the letter.
 */
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const VINERY = join(ROOT, 'dist', 'vinery');
const CONFIG = join(ROOT, 'models', 'ocr.config.json');
const PICTURES = join(ROOT, 'models', 'pictures-ocr');
const LINES = join(PICTURES, 'lines.json');

/** What a picture says, from top to bottom. */
interface WrittenPicture {
  readonly picture: string;
  readonly lines: readonly string[];
}

process.exitCode = await demo();

async function demo(): Promise<number> {
  if (!existsSync(LINES)) {
    process.stderr.write(`expected ${LINES}, found nothing: run make models SET=ocr\n`);
    return 1;
  }
  const pictures = JSON.parse(await readFile(LINES, 'utf8')) as readonly WrittenPicture[];
  return withServer(VINERY, CONFIG, (port) => readAll(port, pictures));
}

async function readAll(port: number, pictures: readonly WrittenPicture[]): Promise<number> {
  process.stdout.write(`\n== client: pipeline read_text, one call a picture\n`);
  const connection = await Connection.open({ grpc_address: '127.0.0.1', grpc_port: String(port), tls: false });
  let faults = 0;
  try {
    for (const picture of pictures) faults += await readOne(connection, picture);
  } finally {
    connection.close();
  }
  process.stdout.write(faults === 0 ? '\nevery line was read to the letter\n' : `\n${faults} lines were misread\n`);
  return faults === 0 ? 0 : 1;
}

/** @returns how many lines are not what was written. */
async function readOne(connection: Connection, { picture, lines }: WrittenPicture): Promise<number> {
  const array = await readNpy(join(PICTURES, `${picture}.npy`));
  const start = performance.now();
  const found = await readText(connection, array);
  const milliseconds = performance.now() - start;
  const [, height = 0, width = 0] = array.shape;
  const head = `${picture}.png, ${width} x ${height}: ${found.length} lines in ${milliseconds.toFixed(0)} ms`;
  process.stdout.write(`\n${head}\n${found.map(formatLine).join('')}`);
  const count = Math.max(found.length, lines.length);
  const misread = Array.from({ length: count }, (_, index) => index).filter((i) => found[i]?.text !== lines[i]);
  for (const i of misread) {
    process.stdout.write(`  line ${i + 1}: expected ${quoted(lines[i])}, read ${quoted(found[i]?.text)}\n`);
  }
  return misread.length;
}

function formatLine({ text, confidence, box }: TextLine): string {
  const corners = box.map(([x, y]) => `(${Math.round(x)}, ${Math.round(y)})`).join(' ');
  return `  ${confidence.toFixed(3)}  ${quoted(text).padEnd(40)} ${corners}\n`;
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'nothing' : JSON.stringify(text);
}
