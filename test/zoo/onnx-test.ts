import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import type { Precision } from '#src/tensors/precision.js';

/** The few fields of ONNX's messages that are read here, with the numbers of onnx.proto. */
const PROTO = `
syntax = "proto3";
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message ValueInfoProto { string name = 1; }
message NamedProto { string name = 8; }
message GraphProto { repeated NamedProto initializer = 5; repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12; }
message ModelProto { GraphProto graph = 7; }
`;
const root = protobuf.parse(PROTO, { keepCase: true }).root;

/** By TensorProto.DataType. Strings and types below 8 bits have none. */
const PRECISIONS: Readonly<Record<number, Precision>> = {
  1: 'FP32',
  2: 'U8',
  3: 'I8',
  4: 'U16',
  5: 'I16',
  6: 'I32',
  7: 'I64',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'U32',
  13: 'U64',
  16: 'BF16',
};

interface TensorMessage {
  readonly dims: readonly number[];
  readonly data_type: number;
  readonly name: string;
  readonly raw_data: Uint8Array;
}

interface ModelMessage {
  readonly graph: Readonly<Record<'initializer' | 'input' | 'output', readonly { readonly name: string }[]>>;
}

/** Names of a network's inputs and outputs, as its file has them. */
export function onnxNames(file: string): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
  const { graph } = decode('ModelProto', file) as ModelMessage;
  const initial = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.map(({ name }) => name).filter((name) => !initial.has(name));
  return { inputs, outputs: graph.output.map(({ name }) => name) };
}

/**
 * The inputs of a backend test's first data set.
 *
 * @returns why there are none that a server takes, as text.
 */
export function onnxInputs(directory: string, names: readonly string[]): readonly ResponseTensor[] | string {
  const data = join(directory, 'test_data_set_0');
  if (!existsSync(data)) return 'no data';
  const files = readdirSync(data).filter((file) => file.startsWith('input_'));
  if (files.length !== names.length) return 'optional inputs that are left out';
  const inputs: ResponseTensor[] = [];
  for (const [index, name] of names.entries()) {
    let message: TensorMessage;
    try {
      message = decode('TensorProto', join(data, `input_${index}.pb`)) as TensorMessage;
    } catch {
      return 'a sequence or an optional value';
    }
    const precision = PRECISIONS[message.data_type];
    if (precision === undefined) return `elements of type ${message.data_type}`;
    const count = message.dims.reduce((all, size) => all * size, 1);
    if (message.raw_data.byteLength === 0 && count > 0) return 'a sequence, an optional value or typed fields';
    inputs.push({ name, precision, shape: message.dims, bytes: Uint8Array.from(message.raw_data) });
  }
  return inputs;
}

function decode(message: string, file: string): unknown {
  const type = root.lookupType(message);
  return type.toObject(type.decode(readFileSync(file)), { longs: Number, defaults: true, arrays: true });
}
