import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { ServingError } from '#src/errors.js';
import type { CompiledModelReference, Inference } from '#src/inference/inference.js';
import { NativeInference } from '#src/inference/native-inference.js';
import { OpenvinoNodeInference } from '#src/inference/openvino-node-inference.js';
import { NO_PREPROCESSING, type CompileSpecification } from '#src/native/binding.js';
import { addon } from '#src/openvino/index.js';
import type { AddonCompiledModel, AddonCore } from '#src/openvino/openvino-node-package.js';
import { Arena } from '#src/tensors/arena.js';
import { ELEMENT_BYTES, precisionOfElementType, type Precision } from '#src/tensors/precision.js';
import { Tensor } from '#src/tensors/tensor.js';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { writeUnaryModel } from '../unit/openvino/unary-model.js';
import { binding, specification, temporaryDirectory } from './support.js';

const directory = temporaryDirectory();

/** As the control plane makes it: compiled natively, whatever backend serves it. */
function reference(path: string, changes: Partial<CompileSpecification> = {}): CompiledModelReference {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(path, changes));
  const model = binding.openModel(modelId);
  return {
    modelId,
    specification: specification(path, changes),
    description: binding.describeModel(model),
    inline: null,
    followsLoad: false,
  };
}

interface Input {
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
  /** Bytes of the region in front of it: a shard stands in the middle of its demultiplexer's. */
  readonly start?: number;
}
/** A shape leases the output before the inference. */
type Target = readonly number[] | 'allocate' | 'discard';
interface Outcome {
  readonly outputs: readonly ({ readonly shape: readonly number[]; readonly bytes: readonly number[] } | null)[] | null;
  readonly error: { readonly code: string; readonly detail: string } | null;
}

/** One backend with an arena of its own. */
class Bench {
  readonly arena: Arena;
  readonly inference: Inference;

  constructor(inference: Inference) {
    this.inference = inference;
    this.arena = new Arena(inference.memory);
    inference.useArena(this.arena);
  }

  /** Runs one after the other on one infer request. Nothing stays leased. */
  async run(
    model: CompiledModelReference,
    rounds: readonly (readonly [inputs: readonly Input[], targets: readonly Target[]])[],
  ): Promise<Outcome[]> {
    const opened = await this.inference.openModel(model);
    const request = opened.createInferRequest();
    const outcomes: Outcome[] = [];
    for (const [inputs, targets] of rounds) {
      const leased = inputs.map((input, port) => this.#lease(precisionOf(model, 'inputs', port), input));
      const outputs = targets.map((target, port) =>
        typeof target === 'string' ? target : this.#lease(precisionOf(model, 'outputs', port), { shape: target }),
      );
      outcomes.push(await new Promise((resolve) => request.infer(leased, outputs, (...end) => resolve(read(...end)))));
      for (const tensor of leased) tensor.release();
      for (const tensor of outputs) if (tensor instanceof Tensor && tensor.lease.uses > 0) tensor.release();
    }
    request.close();
    opened.close();
    assert.equal(this.arena.leasedRegions, 0);
    return outcomes;
  }

  #lease(precision: Precision, { shape, data, start = 0 }: Pick<Input, 'shape'> & Partial<Input>): Tensor {
    const count = shape.reduce((product, size) => product * size, 1);
    const lease = this.arena.lease(start + count * ELEMENT_BYTES[precision]);
    if (data !== undefined) {
      this.arena.copyIn(lease, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 'request', start);
    }
    return new Tensor(precision, shape, lease, start);
  }
}

/** Takes what came over: allocated tensors are the caller's to release, leased ones are released here as well. */
function read(error: ServingError | null, tensors: readonly (Tensor | null)[] | null, inferMicros: number): Outcome {
  assert.ok(Number.isInteger(inferMicros) && inferMicros >= 0);
  const outputs = tensors?.map((tensor) => tensor && { shape: tensor.shape, bytes: [...tensor.lease.bytes] }) ?? null;
  for (const tensor of tensors ?? []) tensor?.release();
  return { outputs, error: error && { code: error.code, detail: error.detail } };
}

function precisionOf({ description }: CompiledModelReference, side: 'inputs' | 'outputs', port: number): Precision {
  return precisionOfElementType(description[side][port]!.elementType)!;
}

const native = new Bench(new NativeInference(binding));
const node = new Bench(new OpenvinoNodeInference(addon));
const floats = (...values: number[]): Float32Array => Float32Array.from(values);
const ten = (value: number): Input => ({ shape: [1, 10], data: new Float32Array(10).fill(value) });
const flags = (...positions: number[]): Input => ({
  shape: [10],
  data: Float32Array.from({ length: 10 }, (_, index) => (positions.includes(index) ? 1 : 0)),
});
const bytesOf = ({ buffer }: Float32Array | BigInt64Array): number[] => [...new Uint8Array(buffer)];

async function sameOnBoth(...given: Parameters<Bench['run']>): Promise<Outcome[]> {
  const outcomes = await node.run(...given);
  assert.deepEqual(outcomes, await native.run(...given));
  return outcomes;
}

test('openvino-node: leased, allocated and discarded outputs are those of the native backend', async () => {
  const model = reference(writeDummyModel(directory, { name: 'dummy' }));
  const outcomes = await sameOnBoth(model, [
    [[ten(1)], [[1, 10]]],
    [[ten(2)], ['allocate']],
    [[ten(3)], ['discard']],
    [[ten(4)], [[1, 10]]],
  ]);
  const sum = (value: number): Outcome => ({
    error: null,
    outputs: [{ shape: [1, 10], bytes: bytesOf(new Float32Array(10).fill(value)) }],
  });
  assert.deepEqual(outcomes, [sum(2), sum(3), { error: null, outputs: [null] }, sum(5)]);
});

test('openvino-node: a shard in the middle of a region, and every byte that goes in and out is counted', async () => {
  const model = reference(writeDummyModel(directory, { name: 'shard' }));
  const before = node.arena.copies.bytes('backend');
  const [outcome] = await sameOnBoth(model, [[[{ ...ten(1), start: 40 }], [[1, 10]]]]);
  assert.deepEqual(outcome!.outputs![0]!.bytes, bytesOf(new Float32Array(10).fill(2)));
  assert.equal(node.arena.copies.bytes('backend') - before, 2 * 40);
});

test('openvino-node: each precision that it knows', async () => {
  const values = {
    f32: floats(1, 2),
    i32: Int32Array.of(1, -2),
    i64: BigInt64Array.of(1n, -2n),
    u8: Uint8Array.of(1, 255),
  };
  for (const [precision, data] of Object.entries(values)) {
    const path = writeDummyModel(directory, {
      name: precision,
      precision: precision as keyof typeof values,
      shape: [2],
    });
    const [outcome] = await sameOnBoth(reference(path), [[[{ shape: [2], data }], [[2]]]]);
    assert.equal(outcome!.outputs![0]!.bytes.length, data.byteLength, precision);
  }
});

test('openvino-node: inputs keep the order of the model', async () => {
  const model = reference(writeArgmaxModel(directory, { name: 'argmax', classes: 4 }));
  const input = (...values: number[]): Input => ({ shape: [1, 4], data: floats(...values) });
  const outcomes = await sameOnBoth(model, [
    [[input(1, 0, 0, 0), input(0, 0, 3, 0)], [[1]]],
    [[input(0, 9, 0, 0), input(0, 0, 3, 0)], [[1]]],
  ]);
  const indices = outcomes.map(({ outputs }) => outputs![0]!.bytes);
  assert.deepEqual(indices, [bytesOf(BigInt64Array.of(2n)), bytesOf(BigInt64Array.of(1n))]);
});

test('openvino-node: an output whose shape only the inference tells', async () => {
  const model = reference(writeNonZeroModel(directory, { name: 'nonzero' }));
  const outcomes = await sameOnBoth(model, [
    [[flags(2, 5)], ['allocate']],
    [[flags()], ['allocate']],
    [[flags(0, 1, 9)], ['allocate']],
  ]);
  assert.deepEqual(
    outcomes.map(({ outputs }) => outputs![0]!.shape),
    [
      [1, 2],
      [1, 0],
      [1, 3],
    ],
  );
});

test('openvino-node: a dynamic model takes each shape', async () => {
  const model = reference(writeDummyModel(directory, { name: 'dynamic', shape: [-1, 2] }));
  const input = (...values: number[]): Input => ({ shape: [values.length / 2, 2], data: floats(...values) });
  await sameOnBoth(model, [
    [[input(1, 2)], [[1, 2]]],
    [[input(1, 2, 3, 4, 5, 6)], ['allocate']],
    [[input(7, 8, 9, 10)], [[2, 2]]],
  ]);
});

test('openvino-node: a fault keeps no lease, and the infer request goes on', async () => {
  const model = reference(writeNonZeroModel(directory, { name: 'nonzero-fault' }));
  const outcomes = await node.run(model, [
    [[flags(1, 2, 3)], [[1, 2]]],
    [[{ shape: [9], data: new Float32Array(9) }], ['allocate']],
    [[flags(1, 2)], ['allocate']],
  ]);
  assert.deepEqual(outcomes[0]!.error, {
    code: 'OUTPUT_RETRIEVAL_FAILED',
    detail: 'expected an output of shape (1,2), received (1,3)',
  });
  assert.equal(outcomes[1]!.error!.code, 'INFERENCE_FAILED');
  assert.match(outcomes[1]!.error!.detail, /expected a tensor of f32 \[10\], received f32 \[9\]/);
  assert.deepEqual(outcomes[2]!.outputs![0]!.shape, [1, 2]);
});

test('openvino-node: when the arena gives no memory, what was leased before goes back', async () => {
  const outputs = ['y', 'z'];
  const path = writeUnaryModel(directory, { type: 'Relu', elementType: 'f32', precision: 'FP32', outputs });
  const bench = new Bench(new OpenvinoNodeInference(addon));
  const lease = bench.arena.lease.bind(bench.arena);
  let leases = 0;
  bench.arena.lease = (bytes) => {
    leases += 1;
    // The input is the first, the first output the second.
    if (leases === 3) throw new RangeError('no memory');
    return lease(bytes);
  };
  const input = { shape: [2], data: floats(1, 2) };
  const outcomes = await bench.run(reference(path), [
    [[input], ['allocate', 'allocate']],
    [[input], ['allocate', 'allocate']],
  ]);
  assert.deepEqual(outcomes[0]!.error, { code: 'OUTPUT_RETRIEVAL_FAILED', detail: 'no memory' });
  const result = { shape: [2], bytes: bytesOf(floats(1, 2)) };
  assert.deepEqual(outcomes[1]!.outputs, [result, result]);
});

test('openvino-node: many requests run at once', async () => {
  const model = reference(writeHeavyModel(directory, { name: 'heavy', size: 32, depth: 3 }));
  const opened = await node.inference.openModel(model);
  const lease = node.arena.lease(32 * 32 * 4);
  const tensor = new Tensor('FP32', [32, 32], lease);
  const ends = Array.from({ length: 8 }, () => {
    const request = opened.createInferRequest();
    return new Promise((resolve) => request.infer([tensor], ['discard'], (error) => resolve(error)));
  });
  assert.deepEqual(await Promise.all(ends), Array<null>(8).fill(null));
  lease.release();
});

test('openvino-node: what it does not apply is refused by name', async () => {
  const path = writeDummyModel(directory, { name: 'refused' });
  const shapes = [
    {
      name: 'b',
      dimensions: [
        [1, 1],
        [10, 10],
      ],
    },
  ] as const;
  const layouts = [{ name: 'b', tensor: null, model: 'NC' }];
  const half = writeUnaryModel(directory, { type: 'Relu', elementType: 'f16', precision: 'FP16', outputs: ['y'] });
  const nameless = writeUnaryModel(directory, { type: 'Relu', elementType: 'f32', precision: 'FP32', outputs: [null] });
  const refused: readonly [CompiledModelReference, string][] = [
    [reference(path, { shapes }), 'shape'],
    [reference(path, { layouts }), 'layout'],
    [reference(path, { batch: [4, 4] }), 'batch_size'],
    [reference(path, { preprocessing: { ...NO_PREPROCESSING, mean: [1] } }), 'mean, scale, color_format and precision'],
    [reference(path, { stateful: { maxSequences: 1, lowLatency: false } }), 'stateful'],
    [reference(path, { joinedRows: 4 }), 'dynamic_batching'],
    [reference(half), 'element type f16 of tensor x'],
    [reference(nameless), 'an output without a name'],
  ];
  for (const [model, what] of refused) {
    const expected = { name: 'ServingError', code: 'NOT_IMPLEMENTED', detail: `${what} with --backend openvino-node` };
    await assert.rejects(node.inference.openModel(model), expected);
  }
});

test('openvino-node: a model that went away or does not compile has the codes of the server', async () => {
  const model = reference(writeDummyModel(directory, { name: 'gone' }));
  const opening = (changes: Partial<CompileSpecification>): Promise<unknown> =>
    node.inference.openModel({ ...model, specification: { ...model.specification, ...changes } });
  await assert.rejects(opening({ path: join(directory, 'nowhere.xml') }), {
    code: 'MODEL_READ_FAILED',
    detail: /nowhere/,
  });
  await assert.rejects(opening({ device: 'TPU' }), { code: 'MODEL_COMPILE_FAILED', detail: /TPU/ });
  await assert.rejects(opening({ properties: { NO_SUCH_KEY: 1 } }), {
    code: 'MODEL_COMPILE_FAILED',
    detail: /NO_SUCH_KEY/,
  });
});

test('openvino-node: errors that are not of the server get its codes', async () => {
  const text = 'Exception of the package';
  const fail = (): never => {
    throw new Error(text);
  };
  class FailingCore implements AddonCore {
    compileModel(_path: string, device: string): Promise<AddonCompiledModel> {
      if (device !== 'CPU') return Promise.reject(new Error(text));
      return Promise.resolve({ createInferRequest: () => ({ inferAsync: fail, getOutputTensor: fail }) });
    }
  }
  const failing = { Tensor: addon.Tensor, Core: FailingCore };
  const bench = new Bench(new OpenvinoNodeInference(failing));
  const model = reference(writeDummyModel(directory, { name: 'failing' }));
  const [outcome] = await bench.run(model, [[[ten(1)], ['allocate']]]);
  assert.deepEqual(outcome, { outputs: null, error: { code: 'INFERENCE_FAILED', detail: text } });
  const elsewhere = { ...model, specification: { ...model.specification, device: 'GPU' } };
  await assert.rejects(bench.inference.openModel(elsewhere), { code: 'MODEL_COMPILE_FAILED', detail: text });
});

test('openvino-node: slabs are kept by id, and ids are used again', () => {
  const inference = new OpenvinoNodeInference(addon);
  const [first, second] = [new Uint8Array(8), new Uint8Array(8)];
  assert.deepEqual([inference.registerSlab(first), inference.registerSlab(second)], [0, 1]);
  inference.copyIn(1, 2, Uint8Array.of(7, 8));
  assert.deepEqual([...second], [0, 0, 7, 8, 0, 0, 0, 0]);
  assert.equal(inference.slabAddress(1), 0n);
  inference.unregisterSlab(0);
  const gone = { name: 'TypeError', message: 'slabId: slab 0 is not registered' };
  assert.throws(() => inference.copyIn(0, 0, first), gone);
  assert.throws(() => inference.slabAddress(0), gone);
  assert.throws(() => inference.unregisterSlab(0), gone);
  assert.equal(inference.registerSlab(first), 0);
});

test('openvino-node: a package without its binary, or with one that does not load, says what to do', async () => {
  const place = join(directory, 'openvino-node');
  const binary = join(place, 'bin', 'ov_node_addon.node');
  mkdirSync(join(place, 'bin'), { recursive: true });
  writeFileSync(join(place, 'package.json'), '{"name":"openvino-node","main":"index.js"}');
  writeFileSync(join(place, 'index.js'), 'exports.addon = require("./bin/ov_node_addon.node");');
  const remedy = 'run `npm rebuild openvino-node --ignore-scripts=false`, or use another --backend';
  await assert.rejects(OpenvinoNodeInference.load(place), {
    name: 'ServingError',
    code: 'BACKEND_MISSING',
    detail: `expected the binary of openvino-node at ${binary}, found no file: ${remedy}`,
  });
  writeFileSync(binary, 'not a library');
  await assert.rejects(OpenvinoNodeInference.load(place), (error: ServingError) => {
    assert.equal(error.code, 'BACKEND_MISSING');
    assert.ok(error.detail.startsWith(`found ${binary}, but it does not load (`), error.detail);
    assert.ok(error.detail.endsWith(`): ${remedy}`), error.detail);
    return true;
  });
});

const installed = createRequire(import.meta.url).resolve('openvino-node/package.json');
const installedBinary = join(dirname(installed), 'bin', 'ov_node_addon.node');

test('openvino-node: the installed package is the one that is loaded', async () => {
  if (existsSync(installedBinary)) {
    assert.ok((await OpenvinoNodeInference.load()) instanceof OpenvinoNodeInference);
    return;
  }
  const expected = `expected the binary of openvino-node at ${installedBinary}, found no file: `;
  await assert.rejects(OpenvinoNodeInference.load(), (error: ServingError) => error.detail.startsWith(expected));
});

test('openvino-node: a package that is not installed says what to do', async () => {
  await assert.rejects(OpenvinoNodeInference.load('openvino-node-of-nowhere'), {
    code: 'BACKEND_MISSING',
    detail:
      'expected the package openvino-node-of-nowhere, found none where this server is installed: run `npm install openvino-node`',
  });
});

test('openvino-node: a package whose addon loads is used', async () => {
  const place = join(directory, 'whole');
  mkdirSync(place);
  writeFileSync(join(place, 'index.js'), 'exports.addon = { Core: class { made = true; } };');
  assert.ok((await OpenvinoNodeInference.load(place)) instanceof OpenvinoNodeInference);
});
