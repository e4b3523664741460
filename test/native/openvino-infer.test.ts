import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon as ov, Tensor } from '#src/openvino/index.js';
import { writeArgmaxModel, writeDummyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { flags, floats, numbers, tens } from '../unit/openvino/tensors.js';
import { writeUnaryModel } from '../unit/openvino/unary-model.js';
import { temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const core = new ov.Core();
const dummyPath = writeDummyModel(directory, { name: 'dummy' });
const dummy = core.compileModelSync(dummyPath, 'CPU');
const argmax = core.compileModelSync(writeArgmaxModel(directory, { name: 'argmax', classes: 8 }), 'CPU');
const nonZero = core.compileModelSync(writeNonZeroModel(directory, { name: 'nonzero' }), 'CPU');
const dynamic = core.compileModelSync(writeDummyModel(directory, { name: 'dynamic', shape: [-1, 10] }), 'CPU');

test('infer: inputs may be tensors or arrays, in order or by name, here and asynchronously', async () => {
  const request = dummy.createInferRequest();
  const array = new Float32Array(10).fill(1);
  for (const input of [[floats(1)], [array], { b: floats(1) }, { b: array }]) {
    const results = [request.infer(input), await request.inferAsync(input)];
    for (const result of results) assert.deepEqual([Object.keys(result), numbers(result['a'])], [['a'], tens(2)]);
  }
});

test('infer: several inputs are told apart by name and by order', () => {
  const [left, right] = [new Float32Array(8), new Float32Array(8)];
  left[2] = 1;
  right[5] = 3;
  const request = argmax.createInferRequest();
  assert.deepEqual(numbers(request.infer([left, right])['argmax']), [5]);
  assert.deepEqual(numbers(request.infer({ in2: new Float32Array(8) })['argmax']), [2]);
});

test('infer: an input that was not set starts as zeros, and may be filled in place', () => {
  const request = dummy.createInferRequest();
  assert.deepEqual(numbers(request.infer()['a']), tens(1));
  request.getInputTensor().data.fill(4 as never);
  assert.deepEqual(numbers(request.infer()['a']), tens(5));
});

test('infer: a tensor over other memory is read anew by each inference', () => {
  const array = new Float32Array(10);
  const request = dummy.createInferRequest();
  request.setInputTensor(new Tensor('f32', [1, 10], array));
  for (const value of [1, 2, 3]) {
    array.fill(value);
    assert.deepEqual(numbers(request.infer()['a']), tens(value + 1));
  }
});

test('infer: tensors may lie anywhere in shared memory, and outputs are written in place', () => {
  const memory = new SharedArrayBuffer(256);
  const input = new Tensor('f32', [1, 10], new Float32Array(memory, 4, 10).fill(6));
  const output = new Tensor('f32', [1, 10], new Float32Array(memory, 100, 10));
  const request = dummy.createInferRequest();
  request.setInputTensor(0, input);
  request.setTensor('a', output);
  const result = request.infer()['a'];
  assert.deepEqual([...new Float32Array(memory, 100, 10)], tens(7));
  assert.deepEqual(numbers(result), tens(7));
  assert.equal(request.getOutputTensor(), output);
});

test('infer: an output over other memory shows each result', async () => {
  const array = new Float32Array(10);
  const request = dummy.createInferRequest();
  request.setOutputTensor(new Tensor('f32', [1, 10], array));
  request.infer([floats(1)]);
  assert.deepEqual([...array], tens(2));
  await request.inferAsync([floats(2)]);
  assert.deepEqual([...array], tens(3));
});

test('infer: results stay as they are; the tensor got from an output follows the inferences', async () => {
  const request = dummy.createInferRequest();
  const first = request.infer([floats(1)])['a'];
  const followed = request.getOutputTensor();
  assert.deepEqual(numbers(followed), tens(2));
  const second = (await request.inferAsync([floats(2)]))['a'];
  assert.deepEqual([numbers(first), numbers(second), numbers(followed)], [tens(2), tens(3), tens(3)]);
  second!.data.fill(0 as never);
  assert.deepEqual(numbers(request.getTensor('a')), tens(3));
  assert.equal(request.getTensor(dummy.output()), followed);
});

test('infer: the output of one request may be the input of another, uncopied', () => {
  const [first, second] = [dummy.createInferRequest(), dummy.createInferRequest()];
  second.setInputTensor(first.getOutputTensor());
  first.infer([floats(1)]);
  assert.deepEqual(numbers(second.infer()['a']), tens(3));
});

test('infer: an output whose shape only the inference tells', async () => {
  const request = nonZero.createInferRequest();
  assert.deepEqual(request.getOutputTensor().getShape(), [1, 0]);
  for (const positions of [[2, 5], [], [0, 1, 9]]) {
    const results = [request.infer([flags(...positions)]), await request.inferAsync([flags(...positions)])];
    for (const { a } of results) assert.deepEqual([a!.getShape(), numbers(a)], [[1, positions.length], positions]);
    assert.deepEqual(numbers(request.getOutputTensor()), positions);
  }
});

test('infer: a tensor set on such an output takes on the shape, and keeps its room for the next', () => {
  for (const array of [new BigInt64Array(10), new BigInt64Array(new SharedArrayBuffer(80))]) {
    const output = new Tensor('i64', [1, 10], array);
    const request = nonZero.createInferRequest();
    request.setOutputTensor(output);
    for (const positions of [[3], [1, 2, 4], []]) {
      const { a } = request.infer([flags(...positions)]);
      assert.deepEqual([output.getShape(), numbers(output)], [[1, positions.length], positions]);
      assert.deepEqual(numbers(a), positions);
    }
  }
});

test('infer: an output without enough room is a fault of the inference, and the request goes on', async () => {
  const request = nonZero.createInferRequest();
  request.setOutputTensor(new Tensor('i64', [1, 2]));
  assert.throws(() => request.infer([flags(1, 2, 3)]), { code: 'INFERENCE_FAILED', message: /shape/ });
  await assert.rejects(request.inferAsync([flags(1, 2, 3)]), { code: 'INFERENCE_FAILED', message: /shape/ });
  assert.deepEqual(numbers(request.infer([flags(7, 8)])['a']), [7, 8]);
});

test('infer: a dynamic model takes each shape, set or by growing its own tensor', () => {
  const request = dynamic.createInferRequest();
  for (const batch of [1, 4, 2]) {
    const { a } = request.infer([floats(batch, [batch, 10])]);
    assert.deepEqual([a!.getShape(), numbers(a)], [[batch, 10], Array<number>(batch * 10).fill(batch + 1)]);
  }
  const own = dynamic.createInferRequest();
  for (const batch of [2, 5]) {
    own.getInputTensor().setShape([batch, 10]);
    own.getInputTensor().data.fill(1 as never);
    assert.deepEqual(numbers(own.infer()['a']), Array<number>(batch * 10).fill(2));
  }
});

test('infer: half precision and booleans are their bits', () => {
  const half = core.compileModelSync(
    writeUnaryModel(directory, { type: 'Relu', elementType: 'f16', precision: 'FP16', outputs: ['y'] }),
    'CPU',
  );
  const { y } = half.createInferRequest().infer([Uint16Array.of(0x3c00, 0xbc00)]);
  assert.deepEqual([y!.getElementType() as unknown, numbers(y)], ['f16', [0x3c00, 0]]);
  const not = core.compileModelSync(
    writeUnaryModel(directory, { type: 'LogicalNot', elementType: 'boolean', precision: 'BOOL', outputs: ['y'] }),
    'CPU',
  );
  assert.deepEqual(numbers(not.createInferRequest().infer([Uint8Array.of(1, 0)])['y']), [0, 1]);
});

test('infer: an output without a name is called as the server calls it', () => {
  const nameless = core.compileModelSync(
    writeUnaryModel(directory, { type: 'Relu', elementType: 'f16', precision: 'FP16', outputs: [null] }),
    'CPU',
  );
  assert.equal(nameless.output().anyName, 'out_0');
  const request = nameless.createInferRequest();
  assert.deepEqual(Object.keys(request.infer()), ['out_0']);
  assert.equal(request.getTensor('out_0').getSize(), 2);
});
