import { METHOD } from '#src/frontends/kserve/method.js';
import type { WireTensor } from '#src/frontends/tfs/tensor-map.js';
import type { RequestTensor } from '#src/servables/predict-request.js';
import { GrpcClient } from './grpc-client.js';
import { decodeKserve, rawInferRequest } from './kserve-messages.js';
import { errorOf, restCall, restPredict, type RestOutcome } from './rest-client.js';
import { bytesOf, floatsOf, floatTensor } from './tensors.js';

export const START = 1;
export const END = 2;

/** A request to an accumulator: `value` in both elements of its input `b` [1,2]. */
export interface Step {
  readonly value?: number;
  readonly id?: bigint;
  readonly control?: number;
}

/** The sum so far and the id of the sequence, or code and text of a refusal. */
export type Answer = { readonly sum: number; readonly id: bigint } | string;

/** One way to ask; gRPC says a code's name, REST a number. */
export interface Protocol {
  readonly name: string;
  readonly isRest: boolean;
  /** Over a connection of its own. */
  ask(ports: Ports, servable: string, step: Step): Promise<Answer>;
}

export interface Ports {
  readonly grpcPort: number;
  readonly restPort: number;
}

/** `sequence_id` as clients of OVMS send it: in `uint64_val`, of which one byte is enough here unless a whole field is given. */
export function idTensor(id: bigint, more: Partial<WireTensor> = {}): WireTensor {
  return { name: 'sequence_id', precision: 'U64', shape: [1], bytes: NO_BYTES, valueField: packed(17, id), ...more };
}

/** `sequence_control_input` in `uint32_val`. */
export function controlTensor(control: number, more: Partial<WireTensor> = {}): WireTensor {
  const valueField = packed(16, BigInt(control));
  return { name: 'sequence_control_input', precision: 'U32', shape: [1], bytes: NO_BYTES, valueField, ...more };
}

const NO_BYTES = new Uint8Array(0);

/** A packed field of one varint; fields from 16 on have tags of two bytes. */
function packed(field: number, value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; bytes.length === 0 || rest > 0n; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
  }
  return Uint8Array.from([((field << 3) & 127) | 130, field >> 4, bytes.length, ...bytes]);
}

/** The inputs of a step in TensorFlow Serving's words. */
export function stepTensors({ value = 0, id, control }: Step): WireTensor[] {
  return [
    floatTensor('b', [1, 2], [value, value]),
    ...(id === undefined ? [] : [idTensor(id)]),
    ...(control === undefined ? [] : [controlTensor(control)]),
  ];
}

/** Asks over an open connection. */
export async function askTfs(client: GrpcClient, servable: string, inputs: readonly WireTensor[]): Promise<Answer> {
  const { code, details, outputs } = await client.predict(servable, inputs);
  if (code !== 'OK') return `${code} ${details}`;
  return { sum: floatsOf(outputs.get('a'))[0]!, id: valueOf(outputs.get('sequence_id')) };
}

/** Clients look for the id in the typed field, so it must not be in `tensor_content`. */
function valueOf(tensor: RequestTensor | undefined): bigint {
  if (tensor?.content.kind !== 'values' || tensor.content.count !== 1) throw new Error('expected one uint64_val');
  const element = new Uint8Array(8);
  tensor.content.writeTo(element);
  return new DataView(element.buffer).getBigUint64(0, true);
}

async function askKserve(client: GrpcClient, servable: string, { value = 0, id, control }: Step): Promise<Answer> {
  const inputs = [
    floatTensor('b', [1, 2], [value, value]),
    ...(id === undefined ? [] : [idTensor(id, { bytes: bytesOf(BigInt64Array.of(BigInt.asIntN(64, id))) })]),
    ...(control === undefined ? [] : [controlTensor(control, { bytes: bytesOf(Int32Array.of(control)) })]),
  ];
  const { code, details, bytes } = await client.call(METHOD.MODEL_INFER, rawInferRequest(servable, inputs));
  if (code !== 'OK') return `${code} ${details}`;
  const { outputs, raw_output_contents } = decodeKserve('ModelInferResponse', bytes) as unknown as KserveAnswer;
  const content = (name: string): Buffer => raw_output_contents[outputs.findIndex((output) => output.name === name)]!;
  return { sum: content('a').readFloatLE(), id: content('sequence_id').readBigUInt64LE() };
}

interface KserveAnswer {
  readonly outputs: readonly { readonly name: string }[];
  readonly raw_output_contents: readonly Buffer[];
}

/** Numbers as text: JSON of this process would round large ids. */
async function askTfsRest({ restPort }: Ports, servable: string, { value = 0, id, control }: Step): Promise<Answer> {
  const members = [
    `"b": [[${value}, ${value}]]`,
    ...(id === undefined ? [] : [`"sequence_id": [${id}]`]),
    ...(control === undefined ? [] : [`"sequence_control_input": [${control}]`]),
  ];
  const outcome = await restPredict(restPort, servable, `{"inputs": {${members.join(', ')}}}`);
  return restAnswer(outcome, /"sequence_id": \[\s*(\d+)\s*\]/, /"a": \[\s*\[\s*([^,]+),/);
}

async function askKserveRest({ restPort }: Ports, servable: string, { value = 0, id, control }: Step): Promise<Answer> {
  const inputs = [
    `{"name": "b", "shape": [1, 2], "datatype": "FP32", "data": [${value}, ${value}]}`,
    ...(id === undefined ? [] : [`{"name": "sequence_id", "shape": [1], "datatype": "UINT64", "data": [${id}]}`]),
    ...(control === undefined
      ? []
      : [`{"name": "sequence_control_input", "shape": [1], "datatype": "UINT32", "data": [${control}]}`]),
  ];
  const outcome = await restCall(
    restPort,
    'POST',
    `/v2/models/${servable}/infer`,
    `{"inputs": [${inputs.join(', ')}]}`,
  );
  const data = (name: string): RegExp => new RegExp(`"name":\\s*"${name}"[^}]*"data":\\s*\\[\\s*([^\\],]+)`);
  return restAnswer(outcome, data('sequence_id'), data('a'));
}

function restAnswer(outcome: RestOutcome, id: RegExp, sum: RegExp): Answer {
  if (outcome.status !== 200) return `${outcome.status} ${errorOf(outcome)}`;
  const [, idText] = id.exec(outcome.text) ?? [];
  const [, sumText] = sum.exec(outcome.text) ?? [];
  if (idText === undefined || sumText === undefined) throw new Error(`expected a and sequence_id in ${outcome.text}`);
  return { sum: Number(sumText), id: BigInt(idText.trim()) };
}

function overGrpc(ask: (client: GrpcClient, servable: string, step: Step) => Promise<Answer>): Protocol['ask'] {
  return async ({ grpcPort }, servable, step) => {
    const client = new GrpcClient(grpcPort);
    try {
      return await ask(client, servable, step);
    } finally {
      client.close();
    }
  };
}

export const TFS_GRPC: Protocol = {
  name: 'TFS gRPC',
  isRest: false,
  ask: overGrpc((client, servable, step) => askTfs(client, servable, stepTensors(step))),
};

export const PROTOCOLS: readonly Protocol[] = [
  TFS_GRPC,
  { name: 'TFS REST', isRest: true, ask: askTfsRest },
  { name: 'KServe gRPC', isRest: false, ask: overGrpc(askKserve) },
  { name: 'KServe REST', isRest: true, ask: askKserveRest },
];
