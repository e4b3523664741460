import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon as ov, Tensor, type InferResult } from '#src/openvino/index.js';
import { writeArgmaxModel, writeDummyModel, writeHeavyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { flags, floats, numbers, tens } from '../unit/openvino/tensors.js';
import { temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const core = new ov.Core();
const dummyPath = writeDummyModel(directory, { name: 'dummy' });
const dummy = core.compileModelSync(dummyPath, 'CPU');
const argmax = core.compileModelSync(writeArgmaxModel(directory, { name: 'argmax', classes: 8 }), 'CPU');
const nonZero = core.compileModelSync(writeNonZeroModel(directory, { name: 'nonzero' }), 'CPU');

test('inferAsync: calls on one request wait for each other, in order', async () => {
  const request = dummy.createInferRequest();
  const ends: number[] = [];
  const ask = async (value: number): Promise<InferResult> => {
    const result = await request.inferAsync([floats(value)]);
    ends.push(value);
    return result;
  };
  const results = await Promise.all([1, 2, 3, 4].map(ask));
  assert.deepEqual(ends, [1, 2, 3, 4]);
  assert.deepEqual(
    results.map(({ a }) => numbers(a)),
    [2, 3, 4, 5].map(tens),
  );
});

test('inferAsync: a call that fails does not stop those behind it', async () => {
  const request = nonZero.createInferRequest();
  request.setOutputTensor(new Tensor('i64', [1, 2]));
  const asked = [[flags(1)], [flags(1, 2, 3)], [flags(4)]].map((input) => request.inferAsync(input));
  const settled = await Promise.allSettled(asked);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('inferAsync: many requests share the ring with each other', async () => {
  const requests = Array.from({ length: 300 }, () => dummy.createInferRequest());
  const results = await Promise.all(requests.map((request, index) => request.inferAsync([floats(index)])));
  assert.deepEqual(
    results.map(({ a }) => numbers(a)),
    requests.map((_, index) => tens(index + 1)),
  );
});

test('inferAsync: while it runs, the request is busy', async () => {
  const heavy = core.compileModelSync(writeHeavyModel(directory, { name: 'heavy', size: 64, depth: 20 }), 'CPU');
  const request = heavy.createInferRequest();
  const running = request.inferAsync([new Float32Array(64 * 64)]);
  const busy = { message: 'the infer request is busy: wait for its inferAsync() first' };
  const tensor = new Tensor('f32', [64, 64]);
  for (const use of [
    () => request.infer(),
    () => request.setInputTensor(tensor),
    () => request.setOutputTensor(tensor),
    () => request.setTensor('b', tensor),
    () => request.getOutputTensor(),
    () => request.getTensor('b'),
  ]) {
    assert.throws(use, busy);
  }
  await running;
  request.setInputTensor(tensor);
});

test('infer request: wrong arguments are named, and change nothing', async () => {
  const request = dummy.createInferRequest();
  request.setInputTensor(floats(1));
  const expected = "input 'b': expected a tensor of f32 [1,10], received";
  const wrong: readonly [input: unknown, name: string, message: string][] = [
    [
      new Float32Array(10),
      'TypeError',
      'inputData: expected an array or an object of tensors, received Float32Array of 10 elements',
    ],
    [floats(1), 'TypeError', 'inputData: expected an array or an object of tensors, received one Tensor'],
    ['b', 'TypeError', 'inputData: expected an array or an object of tensors, received b'],
    [[floats(1), floats(1)], 'RangeError', "input: expected one of 0 'b', received 1"],
    [{ c: floats(1) }, 'RangeError', "input: expected one of 0 'b', received c"],
    [['text'], 'TypeError', "input 'b': expected a Tensor, received text"],
    [{ b: {} }, 'TypeError', "input 'b': expected a Tensor, received [object Object]"],
    [[new Float32Array(9)], 'RangeError', 'tensorData: expected 40 bytes for f32 [1,10], received 36'],
    [[floats(1, [10, 1])], 'TypeError', `${expected} f32 [10,1]`],
    [[new Tensor('i32', [1, 10])], 'TypeError', `${expected} i32 [1,10]`],
  ];
  for (const [input, name, message] of wrong) {
    assert.throws(() => request.infer(input as Tensor[]), { name, message });
    await assert.rejects(request.inferAsync(input as Tensor[]), { name, message });
  }
  assert.deepEqual(numbers(request.infer()['a']), tens(2));
});

test('infer request: wrong tensors and places are named', () => {
  const request = argmax.createInferRequest();
  const tensor = new Tensor('f32', [1, 8]);
  assert.throws(() => request.setInputTensor(tensor), /received no name and no index/);
  assert.throws(() => request.setInputTensor(2, tensor), /input: expected one of 0 'in1', 1 'in2', received 2/);
  assert.throws(() => request.setOutputTensor(tensor), /output 'argmax': expected a tensor of i64 \[1\], received f32/);
  assert.throws(
    () => request.setTensor('in3', tensor),
    /name: expected one of the tensors in1, in2, argmax, received in3/,
  );
  assert.throws(() => request.getTensor(dummy.input()), /expected an input or output of this compiled model/);
  assert.equal(request.getCompiledModel(), argmax);
});

test('infer request: a rank beyond the binding table is refused', () => {
  const path = writeDummyModel(directory, { name: 'deep', shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] });
  const request = core.compileModelSync(path, 'CPU').createInferRequest();
  assert.throws(() => request.infer(), { code: 'TENSOR_BINDING_FAILED', message: /rank of at most 8, received 9/ });
});
