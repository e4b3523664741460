import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledModelHandle, SequenceTurnHandle, StatefulModel } from '#src/native/binding.js';
import { Running } from './running.js';
import { writeAccumulatorModel, writeDummyModel, writeLastRowsModel, writeLoopModel } from '../fixtures/ir.js';
import {
  awaitTurn,
  binding,
  compile,
  newSlab,
  type Outcome,
  specification,
  temporaryDirectory,
  TestRequest,
} from './support.js';

const directory = temporaryDirectory();
const accumulator = writeAccumulatorModel(directory, { name: 'accumulator', shape: [1, 2] });
const OK: Outcome = { status: 'OK', text: '' };
const NONE = 0;
const START = 1;
const END = 2;

function stateful(path = accumulator, changes: Partial<StatefulModel> = {}): CompiledModelHandle {
  return compile(path, { stateful: { maxSequences: 500, lowLatency: false, ...changes } });
}

const slab = newSlab(4096);

/** An infer request of its own at a place of its own in the slab. */
class Slot {
  static #slots = 0;
  readonly #place = Slot.#slots++ * 32;
  readonly #request: TestRequest;

  constructor(model: CompiledModelHandle, shape: readonly number[] = [1, 2]) {
    const at = (offset: number) => ({ slab: slab.id, offset: (this.#place + offset) * 4, shape });
    this.#request = new TestRequest(model, at(0), at(16));
  }

  /** Adds a number to both elements of the sequence's sum, and gives back the first element. */
  async add(turn: SequenceTurnHandle, number: number): Promise<number> {
    slab.floats.fill(number, this.#place, this.#place + 16);
    assert.deepEqual(await this.#request.startInTurn(turn), OK);
    return slab.floats[this.#place + 16]!;
  }
}

function isFault(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Error && 'code' in error && error.code === code;
}

/** Asks in a turn of its own, which must come at once. */
async function ask(
  model: CompiledModelHandle,
  slot: Slot,
  id: bigint,
  control: number,
  number: number,
  commit = true,
): Promise<number> {
  const turn = binding.enterSequence(model, id, control);
  assert.ok(binding.hasTurn(turn));
  const sum = await slot.add(turn, number);
  binding.finishTurn(turn, commit);
  return sum;
}

test('sequences: each keeps its own state, whichever infer request it meets', async () => {
  const model = stateful();
  const slots = [new Slot(model), new Slot(model)] as const;
  assert.equal(await ask(model, slots[0], 7n, START, 1), 1);
  assert.equal(await ask(model, slots[0], 8n, START, 100), 100);
  assert.equal(await ask(model, slots[1], 7n, NONE, 2), 3);
  assert.equal(await ask(model, slots[1], 8n, NONE, 200), 300);
  assert.equal(await ask(model, slots[0], 7n, END, 3), 6);
  assert.equal(binding.countSequences(model), 1);
  assert.equal(await ask(model, slots[1], 7n, START, 5), 5);
});

test('sequences: what is not committed has not happened', async () => {
  const model = stateful();
  const slot = new Slot(model);
  assert.equal(await ask(model, slot, 1n, START, 1, false), 1);
  assert.equal(binding.countSequences(model), 0);
  await ask(model, slot, 1n, START, 1);
  assert.equal(await ask(model, slot, 1n, NONE, 10, false), 11);
  assert.equal(await ask(model, slot, 1n, NONE, 20), 21);
  assert.equal(await ask(model, slot, 1n, END, 0, false), 21);
  assert.equal(await ask(model, slot, 1n, NONE, 1), 22);
});

test('sequences: requests of one sequence take turns in the order in which they came', async () => {
  const model = stateful();
  const slot = new Slot(model);
  const first = binding.enterSequence(model, 1n, START);
  const later = [NONE, NONE, END].map((control) => binding.enterSequence(model, 1n, control));
  const order: number[] = [];
  const ends = later.map(async (turn, index) => {
    assert.ok(!binding.hasTurn(turn));
    assert.deepEqual(await awaitTurn(turn), OK);
    order.push(await slot.add(turn, index + 2));
    binding.finishTurn(turn, true);
  });
  order.push(await slot.add(first, 1));
  binding.finishTurn(first, true);
  await Promise.all(ends);
  assert.deepEqual(order, [1, 3, 6, 10]);
  assert.equal(binding.countSequences(model), 0);
});

test('sequences: nobody enters behind the last request; once it is answered the id is free', async () => {
  const model = stateful();
  const slot = new Slot(model);
  await ask(model, slot, 1n, START, 1);
  const last = binding.enterSequence(model, 1n, END);
  assert.throws(() => binding.enterSequence(model, 1n, NONE), isFault('SEQUENCE_MISSING'));
  assert.throws(() => binding.enterSequence(model, 1n, END), isFault('SEQUENCE_MISSING'));
  assert.throws(() => binding.enterSequence(model, 1n, START), isFault('SEQUENCE_TERMINATED'));
  await slot.add(last, 1);
  binding.finishTurn(last, true);
  assert.throws(() => binding.enterSequence(model, 1n, NONE), isFault('SEQUENCE_MISSING'));
  assert.equal(await ask(model, slot, 1n, START, 3), 3);
});

test('sequences: a last request that nobody waits for any more has not ended it, and can be sent again meanwhile', async () => {
  const model = stateful();
  const [first, second] = [new Slot(model), new Slot(model)];
  await ask(model, first, 9n, START, 1);
  const left = binding.enterSequence(model, 9n, END);
  const running = first.add(left, 5);
  assert.throws(() => binding.enterSequence(model, 9n, END), isFault('SEQUENCE_MISSING'));
  binding.abandonTurn(left);
  const again = binding.enterSequence(model, 9n, END);
  assert.throws(() => binding.enterSequence(model, 9n, NONE), isFault('SEQUENCE_MISSING'));
  assert.equal(await running, 6);
  binding.finishTurn(left, true);
  assert.throws(() => binding.enterSequence(model, 9n, NONE), isFault('SEQUENCE_MISSING'));
  assert.equal(await second.add(again, 2), 3);
  binding.finishTurn(again, true);
  assert.equal(binding.countSequences(model), 0);
});

test('sequences: a first request that nobody waits for any more can be sent again meanwhile', async () => {
  const model = stateful();
  const slot = new Slot(model);
  const left = binding.enterSequence(model, 9n, START);
  const running = slot.add(left, 5);
  assert.throws(() => binding.enterSequence(model, 9n, START), isFault('SEQUENCE_EXISTS'));
  const behind = awaitTurn(binding.enterSequence(model, 9n, END));
  binding.abandonTurn(left);
  const again = binding.enterSequence(model, 9n, START);
  assert.throws(() => binding.enterSequence(model, 9n, START), isFault('SEQUENCE_EXISTS'));
  const next = binding.enterSequence(model, 9n, NONE);
  assert.equal(await running, 5);
  binding.finishTurn(left, true);
  assert.equal((await behind).status, 'SEQUENCE_MISSING');
  assert.equal(await slot.add(again, 1), 1);
  binding.finishTurn(again, true);
  assert.equal(await slot.add(next, 2), 3);
  binding.finishTurn(next, true);
  assert.equal(binding.countSequences(model), 1);
});

test('sequences: an id that is in use, one that is not, and more than the limit are refused', async () => {
  const model = stateful(accumulator, { maxSequences: 2 });
  const slot = new Slot(model);
  assert.throws(() => binding.enterSequence(model, 1n, NONE), isFault('SEQUENCE_MISSING'));
  await ask(model, slot, 1n, START, 1);
  assert.throws(() => binding.enterSequence(model, 1n, START), isFault('SEQUENCE_EXISTS'));
  await ask(model, slot, 2n ** 64n - 1n, START, 1);
  for (const id of [0n, 1n, 3n]) {
    assert.throws(() => binding.enterSequence(model, id, START), isFault('SEQUENCE_LIMIT'));
  }
  await ask(model, slot, 1n, END, 1);
  await ask(model, slot, 3n, START, 1);
  assert.throws(() => binding.enterSequence(stateful(accumulator, { maxSequences: 0 }), 1n, START), {
    code: 'SEQUENCE_LIMIT',
  });
});

test('sequences: ids that are made here are those of nobody else, and are not used again', async () => {
  const model = stateful();
  const slot = new Slot(model);
  await ask(model, slot, 2n, START, 1);
  const made: bigint[] = [];
  for (let count = 0; count < 3; count += 1) {
    const turn = binding.enterSequence(model, 0n, START);
    made.push(binding.sequenceOf(turn));
    await slot.add(turn, 1);
    binding.finishTurn(turn, true);
    await ask(model, slot, made.at(-1)!, END, 1);
  }
  assert.equal(new Set([2n, 0n, ...made]).size, 5);
});

test('sequences: a request that waits can be withdrawn, and one to end it then has not ended it', async () => {
  const model = stateful();
  const slot = new Slot(model);
  const first = binding.enterSequence(model, 1n, START);
  const last = binding.enterSequence(model, 1n, END);
  const ended = awaitTurn(last);
  assert.ok(binding.withdrawTurn(last));
  assert.equal((await ended).status, 'CANCELLED');
  binding.finishTurn(last, true);
  assert.ok(!binding.withdrawTurn(first));
  await slot.add(first, 1);
  binding.finishTurn(first, true);
  assert.equal(await ask(model, slot, 1n, NONE, 1), 2);
});

test('sequences: who waits for a first request that fails is told that there is no sequence', async () => {
  const model = stateful();
  const first = binding.enterSequence(model, 1n, START);
  const second = binding.enterSequence(model, 1n, NONE);
  const third = binding.enterSequence(model, 1n, NONE);
  const told = awaitTurn(second);
  binding.finishTurn(first, false);
  assert.equal((await told).status, 'SEQUENCE_MISSING');
  assert.equal((await awaitTurn(third)).status, 'SEQUENCE_MISSING');
  for (const turn of [second, third]) binding.finishTurn(turn, true);
  assert.equal(binding.countSequences(model), 0);
});

test('sequences: those that are idle from one cleaning to the next are removed, those in use are not', async () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(accumulator, { stateful: { maxSequences: 9, lowLatency: false } }));
  const model = binding.openModel(modelId);
  const slot = new Slot(model);
  for (const id of [1n, 2n, 3n]) await ask(model, slot, id, START, 1);
  assert.deepEqual(binding.removeIdleSequences(modelId), []);
  await ask(model, slot, 2n, NONE, 1);
  await ask(model, slot, 1n, NONE, 1, false);
  const running = binding.enterSequence(model, 3n, NONE);
  assert.deepEqual(binding.removeIdleSequences(modelId), [1n]);
  binding.finishTurn(running, false);
  assert.deepEqual(binding.removeIdleSequences(modelId).sort(), [2n, 3n]);
  assert.equal(binding.countSequences(model), 0);
  binding.releaseModel(modelId);
  assert.throws(() => binding.removeIdleSequences(modelId), isFault('NOT_COMPILED'));
});

test('sequences: they are one set for all threads, and a thread that ends gives its turns back', async () => {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(accumulator, { stateful: { maxSequences: 9, lowLatency: false } }));
  const model = binding.openModel(modelId);
  const running = new Running({ kind: 'turns', modelId, sequenceId: 1n });
  assert.equal((await running.report).started, 1);
  assert.throws(() => binding.enterSequence(model, 1n, START), isFault('SEQUENCE_EXISTS'));
  const behind = binding.enterSequence(model, 1n, NONE);
  assert.ok(!binding.hasTurn(behind));
  const told = awaitTurn(behind);
  await running.worker.terminate();
  // Its first request was never answered, so there is no sequence.
  assert.equal((await told).status, 'SEQUENCE_MISSING');
  binding.finishTurn(behind, false);
  assert.equal(await ask(model, new Slot(model), 1n, START, 4), 4);
});

test('sequences: without the turn no inference has a state', async () => {
  const model = stateful();
  const slot = new Slot(model);
  const first = binding.enterSequence(model, 1n, START);
  const waiting = binding.enterSequence(model, 1n, NONE);
  const request = new TestRequest(model, { slab: slab.id, offset: 0, shape: [1, 2] }, null);
  assert.deepEqual(await request.startInTurn(waiting), {
    status: 'BINDING_FAILED',
    text: "it is not this request's turn in its sequence",
  });
  assert.equal(await slot.add(first, 1), 1);
});

test('sequences: with the low latency transformation a loop goes on where the last request ended', async () => {
  const loop = writeLoopModel(directory, { name: 'loop' });
  const sums = async (lowLatency: boolean): Promise<number[]> => {
    const model = stateful(loop, { lowLatency });
    const slot = new Slot(model, [1, 1, 4]);
    return [
      await ask(model, slot, 1n, START, 1),
      await ask(model, slot, 1n, NONE, 2),
      await ask(model, slot, 1n, END, 3),
    ];
  };
  assert.deepEqual(await sums(false), [1, 2, 3]);
  assert.deepEqual(await sums(true), [1, 3, 6]);
});

test('sequences: wrong arguments are named', () => {
  const model = stateful();
  const turn = binding.enterSequence(model, 1n, START);
  const waiting = binding.enterSequence(model, 1n, NONE);
  void awaitTurn(waiting);
  const dummy = compile(writeDummyModel(directory, { name: 'dummy' }));
  const cases: readonly (readonly [() => unknown, string])[] = [
    [() => binding.enterSequence(model, -1n, START), 'sequenceId: expected a bigint of 64 bits without sign'],
    [() => binding.enterSequence(model, 2n ** 64n, START), 'sequenceId: expected a bigint of 64 bits without sign'],
    [() => binding.enterSequence(model, 5 as never, START), 'sequenceId: expected a bigint of 64 bits without sign'],
    [() => binding.enterSequence(model, 5n, 3), 'control: expected 0, 1 or 2, received 3'],
    [() => binding.enterSequence(dummy, 5n, 1), 'model: expected a stateful model'],
    [() => binding.awaitTurn(waiting, 1), 'turn: it is awaited already'],
    [
      () => binding.hasTurn(model as never),
      'turn: expected a handle of a turn in a sequence, received a handle of another kind',
    ],
    [() => binding.finishTurn(turn, 1 as never), 'commit: expected a boolean, received 1'],
  ];
  for (const [call, message] of cases) assert.throws(call, { name: 'TypeError', message });
  binding.withdrawTurn(waiting);
  binding.finishTurn(turn, false);
  assert.throws(() => binding.finishTurn(turn, false), { name: 'TypeError', message: 'turn: the handle is closed' });
});

test('sequences: a state without elements is kept like any other', async () => {
  const model = stateful(writeLastRowsModel(directory, { name: 'last-rows' }));
  const own = newSlab(4096);
  const request = new TestRequest(model, null, null);
  /** Rows of the answer. */
  const rows = async (control: number, count: number): Promise<number> => {
    own.floats.fill(1);
    request.bind(0, { slab: own.id, offset: 0, shape: [count, 4] });
    const turn = binding.enterSequence(model, 7n, control);
    assert.deepEqual(await request.startInTurn(turn), OK);
    binding.finishTurn(turn, true);
    return request.shape(1)[0]!;
  };
  assert.equal(await rows(START, 0), 0);
  assert.equal(await rows(NONE, 2), 2);
  assert.equal(await rows(NONE, 0), 2);
  assert.equal(await rows(NONE, 3), 3);
  assert.equal(await rows(END, 0), 3);
});
