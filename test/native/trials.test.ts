import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAnswers, digestAnswers, trialShapes } from '#src/blocking/compare-answers.js';
import type { TrialQuestion } from '#src/native/binding.js';
import {
  writeDenseModel,
  writeDummyModel,
  writePackedWeightsModel,
  writeReshapeModel,
  writeStringModel,
} from '../fixtures/ir.js';
import { binding, specification, temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const dummy = compiled(writeDummyModel(directory, { name: 'dummy' }));
const ROW = [[1, 10]];

function compiled(path: string, properties: Record<string, number> = {}): number {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(path, { properties }));
  return modelId;
}

function ask(modelId: number, question: Partial<TrialQuestion>) {
  return binding.tryModel(binding.openModel(modelId), { shapes: ROW, seed: 0, requests: 1, ...question });
}

function floats(modelId: number, question: Partial<TrialQuestion>): number[] {
  return [...new Float32Array(ask(modelId, question)[0]!.outputs[0]!.bytes.buffer)];
}

test('trials: a model is asked the same numbers for a seed, and a longer tensor begins with those of a shorter one', () => {
  const longer = compiled(writeDummyModel(directory, { name: 'longer', shape: [2, 10] }));
  const numbers = floats(dummy, { seed: 2 });
  assert.deepEqual(floats(dummy, { seed: 2 }), numbers);
  assert.deepEqual(floats(longer, { seed: 2, shapes: [[2, 10]] }).slice(0, 10), numbers);
  assert.notDeepEqual(floats(dummy, { seed: 4 }), numbers);
  assert.equal(new Set(numbers).size, 10);
});

test('trials: floating point is from -1 to 1 or from 0 to 255, bytes have their whole range, other integers are 0 or 1', () => {
  const range = (precision: 'f32' | 'u8' | 'i64', seed: number): number[] => {
    const shape = [1, 4096];
    const path = writeDummyModel(directory, { name: `range-${precision}`, precision, shape, addend: 0 });
    const { bytes } = ask(compiled(path), { shapes: [shape], seed })[0]!.outputs[0]!;
    const views = { f32: Float32Array, u8: Uint8Array, i64: BigInt64Array };
    const values = Array.from(new views[precision](bytes.buffer), Number);
    return [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
  };
  assert.deepEqual(range('f32', 0), [-1, 1]);
  assert.deepEqual(range('f32', 1), [0, 255]);
  assert.deepEqual(range('u8', 0), [0, 255]);
  assert.deepEqual(range('i64', 0), [0, 1]);
});

test('trials: infer requests that answer alike count as one answer, of strings too', () => {
  assert.equal(
    ask(compiled(writeDenseModel(directory, { name: 'dense' }), { NUM_STREAMS: 2 }), { shapes: [[1, 16]], requests: 6 })
      .length,
    1,
  );
  const [answer, ...others] = ask(compiled(writeStringModel(directory, { name: 'strings' })), {
    shapes: [[2]],
    requests: 2,
  });
  assert.deepEqual(others, []);
  assert.match(Buffer.from(answer!.outputs[0]!.bytes).toString('latin1'), /^.\0{7}text \d+.\0{7}text \d+$/);
});

test('trials: a fault of the inference is an answer, a wrong question is none', () => {
  const reshape = compiled(writeReshapeModel(directory, { name: 'reshape' }));
  const [answer] = ask(reshape, { shapes: [[9]] });
  assert.deepEqual(answer!.outputs, []);
  assert.notEqual(answer!.fault, '');
  assert.throws(() => ask(dummy, { shapes: [] }), { code: 'BINDING_FAILED', message: 'expected 1 shapes, received 0' });
});

test('trials: a difference says what was expected, received and where; the same answers are none', () => {
  const other = compiled(writeDummyModel(directory, { name: 'other', addend: 2 }));
  const reference = { modelId: dummy, shapes: ROW };
  assert.equal(compareAnswers(reference, { modelId: dummy, requests: 3 }), null);
  assert.match(
    compareAnswers(reference, { modelId: other, requests: 1 })!,
    /^output 0: expected the bytes [0-9a-f]{8} at byte 0 of 40, received [0-9a-f]{8}$/,
  );
  const integers = compiled(writeDummyModel(directory, { name: 'integers', precision: 'i32' }));
  assert.equal(
    compareAnswers(reference, { modelId: integers, requests: 1 }),
    'output 0: expected f32 [1,10], received i32 [1,10]',
  );
});

test('trials: models that both fail, or both answer, do not differ in that; else they do', () => {
  const shapes = [[9]];
  const fixed = compiled(writeReshapeModel(directory, { name: 'fails' }));
  assert.equal(compareAnswers({ modelId: fixed, shapes }, { modelId: fixed, requests: 1 }), null);
  const any = compiled(writeDummyModel(directory, { name: 'any', shape: [-1] }));
  assert.match(
    compareAnswers({ modelId: any, shapes }, { modelId: fixed, requests: 1 })!,
    /^expected an answer, received the fault "/,
  );
  assert.match(
    compareAnswers({ modelId: fixed, shapes }, { modelId: any, requests: 1 })!,
    /^expected the fault ".*", received an answer$/,
  );
});

test('trials: digests are those of the answers', () => {
  const path = writePackedWeightsModel(directory, { name: 'packed' });
  const shapes = [[4, 8, 32]];
  const [one, two] = [compiled(path, { NUM_STREAMS: 1 }), compiled(path, { NUM_STREAMS: 2 })];
  const digest = digestAnswers({ modelId: one, shapes }, 1);
  assert.match(digest!, /^[0-9a-f]{64}$/);
  assert.equal(digestAnswers({ modelId: two, shapes }, 6), digest);
  assert.notEqual(digestAnswers({ modelId: dummy, shapes: ROW }, 1), digest);
});

test('trials: open dimensions are as large as wanted and allowed', () => {
  const model = compiled(writeDummyModel(directory, { name: 'open', shape: [-1, 10] }));
  const description = binding.describeModel(binding.openModel(model));
  assert.deepEqual(trialShapes(description), [[1, 10]]);
  assert.deepEqual(trialShapes(description, 3), [[3, 10]]);
});
