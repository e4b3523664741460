import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addon as ov, type CompiledModel } from '#src/openvino/index.js';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { OPENVINO_ELEMENT_TYPE, type Precision } from '#src/tensors/precision.js';
import { bytesOf } from '../helpers/tensors.js';
import { onnxInputs, onnxNames } from './onnx-test.js';

const ZOO = fileURLToPath(new URL('../../../.cache/zoo/', import.meta.url));
const BACKEND_TESTS = ['node', 'simple', 'pytorch-operator', 'pytorch-converted'];

/** A network with one request and what OpenVINO answers to that directly. */
export interface Exhibit {
  readonly name: string;
  /** Holds the version directories. */
  readonly basePath: string;
  readonly inputs: readonly ResponseTensor[];
  /** In the order of the network, under the names of its file where that is ONNX. */
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly bytes: Uint8Array }[];
}

/** Why a network is no exhibit. */
export interface Absence {
  readonly name: string;
  readonly reason: string;
}

/** Sizes of the dimensions that a network leaves open after the first, which is 1; the first pattern that fits counts. */
const OPEN_SIZES: readonly (readonly [name: RegExp, sizes: readonly number[]])[] = [
  [/ddddocr.*common_det/, [416, 416]],
  [/ddddocr/, [64, 160]],
  [/rec_infer/, [48, 160]],
  [/cls_infer/, [48, 192]],
  [/det_infer/, [96, 160]],
  [/nudenet/, [320, 320]],
  [/magika/, [2048]],
  [/silero_vad_16k_sequence/, [4, 512]],
  [/silero_vad/, [512]],
];
const OTHER_SIZE = 64;

/** One file or folder each, to be copied into a version directory or served where it is. */
export interface Candidate {
  readonly name: string;
  readonly file: string;
  /** Directory of a backend test, whose data are its inputs. */
  readonly test?: string;
}

export function networks(): Candidate[] {
  const directory = join(ZOO, 'networks');
  return readdirSync(directory).flatMap((source) =>
    readdirSync(join(directory, source)).map((network) => {
      const version = join(directory, source, network, '1');
      const file = readdirSync(version).find((each) => /\.(onnx|tflite|pdmodel)$/.test(each));
      return { name: `${source}/${network}`, file: file === undefined ? version : join(version, file) };
    }),
  );
}

export function backendTests(): Candidate[] {
  return BACKEND_TESTS.flatMap((kind) =>
    readdirSync(join(ZOO, 'onnx', kind))
      .map((name) => ({ name: `${kind}/${name}`, test: join(ZOO, 'onnx', kind, name) }))
      .filter(({ test }) => existsSync(join(test, 'model.onnx')))
      .map((each) => ({ ...each, file: join(each.test, 'model.onnx') })),
  );
}

/** Asks OpenVINO directly, by one stream; a network that it does not take, or that has no input to send, is absent. */
export async function exhibit({ name, file, test }: Candidate, basePath: string): Promise<Exhibit | Absence> {
  let compiled: CompiledModel;
  try {
    const names = file.endsWith('.onnx') ? onnxNames(file) : null;
    if (names?.inputs.length === 0) return { name, reason: 'no inputs' };
    const given = test === undefined || names === null ? undefined : onnxInputs(test, names.inputs);
    if (typeof given === 'string') return { name, reason: given };
    compiled = await new ov.Core().compileModel(file, 'CPU', { NUM_STREAMS: 1, INFERENCE_PRECISION_HINT: 'f32' });
    if (names !== null && names.inputs.length !== compiled.inputs.length) {
      return { name, reason: `${names.inputs.length} inputs in the file, ${compiled.inputs.length} in OpenVINO` };
    }
    const request = compiled.createInferRequest();
    const inputs = given ?? compiled.inputs.map((_, index) => anyInput(name, compiled, index, names?.inputs[index]));
    for (const [index, input] of inputs.entries()) request.setInputTensor(index, tensorOf(input));
    const answer = async (): Promise<Exhibit['outputs']> => {
      await request.inferAsync({});
      return compiled.outputs.map((port, index) => {
        const tensor = request.getOutputTensor(index);
        const bytes = Uint8Array.from(bytesOf(tensor.data as Uint8Array));
        return { name: names?.outputs[index] ?? port.anyName, shape: tensor.getShape(), bytes };
      });
    };
    const outputs = await answer();
    const again = await answer();
    const isSame = outputs.every(({ bytes }, index) => Buffer.compare(bytes, again[index]!.bytes) === 0);
    return isSame ? { name, basePath, inputs, outputs } : { name, reason: 'OpenVINO answers otherwise each time' };
  } catch (error) {
    return { name, reason: `OpenVINO: ${String(error).split('\n')[0]!.slice(0, 160)}` };
  }
}

function tensorOf({ precision, shape, bytes }: ResponseTensor): InstanceType<typeof ov.Tensor> {
  const tensor = new ov.Tensor(OPENVINO_ELEMENT_TYPE[precision] as 'f32', [...shape]);
  bytesOf(tensor.data as Uint8Array).set(bytes);
  return tensor;
}

/** An input made up: numbers without a pattern between -1 and 1, or small integers; a sampling rate is one that there is. */
function anyInput(name: string, compiled: CompiledModel, index: number, fileName?: string): ResponseTensor {
  const port = compiled.inputs[index]!;
  const text = port.getPartialShape().toString();
  const sizes = OPEN_SIZES.find(([pattern]) => pattern.test(name))?.[1] ?? [];
  let open = 0;
  const dimensions = text === '[]' ? [] : text.slice(1, -1).split(',');
  const shape = dimensions.map((size, axis) => {
    if (/^\d+$/.test(size)) return Number(size);
    return axis === 0 ? 1 : (sizes[open++] ?? OTHER_SIZE);
  });
  const type = compiled.createInferRequest().getInputTensor(index).getElementType() as unknown as string;
  const precision = Object.entries(OPENVINO_ELEMENT_TYPE).find(([, each]) => each === type)![0] as Precision;
  const tensor = new ov.Tensor(type as 'f32', shape);
  const isInteger = /^[iu]/.test(type);
  let state = index + 1;
  const numbers = Array.from({ length: tensor.getSize() }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (port.anyName === 'sr') return 16000;
    return isInteger ? state >>> 29 : state / 2 ** 31 - 1;
  });
  if (tensor.data instanceof BigInt64Array) tensor.data.set(numbers.map(BigInt));
  else (tensor.data as Float32Array).set(numbers);
  const bytes = bytesOf(tensor.data as Uint8Array);
  return { name: fileName ?? port.anyName, precision, shape, bytes: Uint8Array.from(bytes) };
}
