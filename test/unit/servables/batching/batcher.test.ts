import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { viewRows } from '#src/tensors/rows.js';
import { linesWith } from '../../observability/metrics/metrics-text.js';
import { Rig } from './rig.js';

const FAULT = new ServingError('INFERENCE_FAILED', 'bad index');
const CANCELLED = new ServingError('REQUEST_CANCELLED');

/** The last figure of the first line with the text. */
async function figure({ book }: Rig, text: string): Promise<string> {
  const [line] = await linesWith(book, text);
  return line!.slice(line!.lastIndexOf(' ') + 1);
}

test('batcher: a session that comes alone starts when what runs now has ended, and is read where it lies', () => {
  const rig = new Rig();
  const sent = rig.send([1, 2]);
  assert.deepEqual(rig.sizes, []);
  rig.clock.turn();
  assert.deepEqual(rig.sizes, [1]);
  assert.equal(rig.arena.copies.bytes('batch'), 0);
  rig.finishAll();
  assert.deepEqual(rig.answer(sent), [2, 3]);
  assert.equal(rig.arena.leasedRegions, 0);
  assert.equal(rig.clock.waits, 0);
});

test('batcher: sessions of one turn are joined in their order, and get their own rows as views of one region', () => {
  const rig = new Rig();
  const sent = [rig.send([1, 2]), rig.send([3, 4, 5, 6]), rig.send([7, 8])];
  rig.clock.turn();
  assert.deepEqual(rig.running[0]!.values, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(rig.running[0]!.shape, [4, 2]);
  // Three inputs and the joined one, and one region for the output that is read.
  assert.equal(rig.arena.leasedRegions, 5);
  assert.equal(rig.arena.copies.bytes('batch'), 8);
  rig.finishAll();
  assert.equal(rig.arena.leasedRegions, 1);
  assert.deepEqual(
    sent.map(({ end }) => end!.outputs[0]!.shape),
    [
      [1, 2],
      [2, 2],
      [1, 2],
    ],
  );
  assert.deepEqual(
    sent.map(({ end }) => end!.copiedBytes),
    [2, 4, 2],
  );
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    [
      [2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: without delay those that queue for an infer request go together when one is free', () => {
  const rig = new Rig();
  const first = rig.send([1, 1]);
  rig.clock.turn();
  const queued = [2, 3, 4].map((value) => {
    const sent = rig.send([value, value]);
    rig.clock.turn();
    return sent;
  });
  assert.deepEqual(rig.sizes, [1]);
  rig.running[0]!.finish();
  assert.deepEqual(rig.running[0]!.values, [2, 2, 3, 3, 4, 4]);
  rig.finishAll();
  assert.deepEqual(
    [first, ...queued].map((each) => rig.answer(each)),
    [
      [2, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ],
  );
});

test('batcher: a batch has no more rows than it may have; what does not fit opens the next', () => {
  const rig = new Rig({ nireq: 9 });
  for (const rows of [3, 2, 2, 1, 4]) rig.send(new Array<number>(rows * 2).fill(rows));
  rig.clock.turn();
  assert.deepEqual(rig.sizes, [3, 4, 1, 4]);
});

test('batcher: a full batch does not wait for the end of the turn', () => {
  const rig = new Rig({ maxQueueDelayMicros: 5000 });
  for (const value of [1, 2, 3]) rig.send([value, value]);
  assert.deepEqual(rig.sizes, []);
  rig.send([4, 4]);
  assert.deepEqual(rig.sizes, [4]);
  rig.clock.turn();
  assert.equal(rig.clock.waits, 0);
});

test('batcher: with a delay a batch waits for company until its oldest member has waited so long', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  rig.send([1, 1]);
  rig.clock.pass(0.3);
  assert.equal(rig.clock.waits, 1);
  rig.send([2, 2]);
  rig.clock.pass(0.19);
  assert.deepEqual(rig.sizes, []);
  rig.clock.pass(0.02);
  assert.deepEqual(rig.sizes, [2]);
  assert.equal(rig.clock.waits, 0);
});

test('batcher: who waits for an infer request is joined by others beyond the delay, and sets no timer', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  rig.send([1, 1]);
  rig.clock.pass(1);
  rig.send([2, 2]);
  rig.clock.pass(1);
  rig.send([3, 3]);
  rig.clock.pass(1);
  assert.equal(rig.clock.waits, 0);
  rig.running[0]!.finish();
  assert.deepEqual(rig.sizes, [2]);
});

test('batcher: an infer request that comes free before the delay is over is left to others', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  rig.send([1, 1]);
  rig.clock.pass(1);
  rig.send([2, 2]);
  rig.clock.pass(0.1);
  rig.running[0]!.finish();
  assert.deepEqual([rig.sizes, rig.pool.idle, rig.clock.waits], [[], 1, 1]);
  rig.clock.pass(0.5);
  assert.deepEqual(rig.sizes, [1]);
});

test('batcher: a preferred size waits no longer while an infer request is free', () => {
  const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicros: 500, preferredBatchSizes: [2, 4] });
  rig.send([1, 1]);
  rig.clock.turn();
  assert.deepEqual(rig.sizes, []);
  rig.send([2, 2]);
  assert.deepEqual(rig.sizes, []);
  rig.clock.turn();
  assert.deepEqual(rig.sizes, [2]);
  assert.equal(rig.clock.waits, 0);
});

test('batcher: of what has queued the largest preferred size goes, and the rest when it has waited its delay', () => {
  const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicros: 500, preferredBatchSizes: [2, 4] });
  for (const value of [1, 2]) rig.send([value, value]);
  rig.clock.turn();
  for (const value of [3, 4, 5, 6, 7]) rig.send([value, value]);
  rig.clock.turn();
  rig.running[0]!.finish();
  assert.deepEqual(rig.running[0]!.values, [3, 3, 4, 4, 5, 5, 6, 6]);
  rig.finishAll();
  assert.deepEqual(rig.sizes, []);
  rig.clock.pass(1);
  assert.deepEqual(rig.running[0]!.values, [7, 7]);
});

test('batcher: what has waited its delay goes whole, whatever size is preferred', () => {
  const rig = new Rig({ maxBatchSize: 8, maxQueueDelayMicros: 500, preferredBatchSizes: [2] });
  for (const value of [1, 2]) rig.send([value, value]);
  rig.clock.turn();
  for (const value of [3, 4, 5]) rig.send([value, value]);
  rig.clock.pass(1);
  rig.running[0]!.finish();
  assert.deepEqual(rig.sizes, [3]);
});

test('batcher: sessions whose rows have other shapes are not joined, those of one shape are', () => {
  const open = { min: 0, max: Infinity };
  const rig = new Rig({ nireq: 4, shape: [open, open] });
  const sent = [
    rig.send([1, 1]),
    rig.sendTensors([rig.tensor([1, 3], [2, 2, 2])]),
    rig.send([3, 3]),
    rig.sendTensors([rig.tensor([1, 3], [4, 4, 4])]),
  ];
  rig.clock.turn();
  assert.deepEqual(
    rig.running.map(({ values }) => values),
    [
      [1, 1, 3, 3],
      [2, 2, 2, 4, 4, 4],
    ],
  );
  rig.finishAll();
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    [
      [2, 2],
      [3, 3, 3],
      [4, 4],
      [5, 5, 5],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: more rows than a batch may have, none, and inputs of different numbers go by themselves', () => {
  const rig = new Rig({ nireq: 9, inputs: ['b', 'd'] });
  const one = (): ReturnType<Rig['tensor']> => rig.tensor([1, 2], [1, 1]);
  rig.send([1, 1]);
  rig.sendTensors([
    rig.tensor([5, 2], new Array<number>(10).fill(2)),
    rig.tensor([5, 2], new Array<number>(10).fill(2)),
  ]);
  rig.sendTensors([rig.tensor([0, 2], []), rig.tensor([0, 2], [])]);
  rig.sendTensors([one(), rig.tensor([2, 2], [1, 1, 1, 1])]);
  rig.send([1, 1]);
  rig.clock.turn();
  assert.deepEqual([...rig.sizes].sort(), [0, 1, 2, 5]);
  rig.finishAll();
});

test('batcher: every input is joined', () => {
  const rig = new Rig({ inputs: ['b', 'd'] });
  rig.sendTensors([rig.tensor([1, 2], [1, 2]), rig.tensor([1, 2], [3, 4])]);
  rig.sendTensors([rig.tensor([1, 2], [5, 6]), rig.tensor([1, 2], [7, 8])]);
  rig.clock.turn();
  assert.deepEqual(
    rig.running[0]!.inputs.map(({ bytes }) => Array.from(bytes)),
    [
      [1, 2, 5, 6],
      [3, 4, 7, 8],
    ],
  );
});

test('batcher: shards that lie one behind the other are joined without a copy', () => {
  const rig = new Rig();
  const whole = rig.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
  whole.retain(2);
  const sent = [0, 1, 2].map((row) => rig.sendTensors([viewRows(whole, row, 1)]));
  rig.clock.turn();
  assert.equal(rig.running[0]!.inputs[0]!.lease, whole.lease);
  assert.equal(rig.arena.copies.bytes('batch'), 0);
  rig.finishAll();
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    [
      [2, 3],
      [4, 5],
      [6, 7],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: each session gets the outputs that it reads; what nobody reads is not leased', () => {
  const rig = new Rig();
  const first = rig.send([1, 1], [true, false]);
  const second = rig.send([2, 2], [true, true]);
  const third = rig.send([3, 3], [false, false]);
  rig.clock.turn();
  rig.finishAll();
  assert.equal(first.end!.outputs[1], null);
  assert.deepEqual(
    [rig.answer(first), rig.answer(second), rig.answer(second, 1)],
    [
      [2, 2],
      [3, 3],
      [3, 3],
    ],
  );
  assert.deepEqual(third.end!.outputs, [null, null]);
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: a session that is withdrawn while it waits leaves the others together', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  const sent = [1, 2, 3].map((value) => rig.send([value, value]));
  rig.clock.turn();
  sent[0]!.withdraw(CANCELLED);
  assert.equal(rig.answer(sent[0]!), 'REQUEST_CANCELLED');
  assert.equal(sent[0]!.starts, 0);
  rig.clock.pass(1);
  assert.deepEqual(rig.running[0]!.values, [2, 2, 3, 3]);
  rig.finishAll();
  assert.deepEqual(
    [rig.answer(sent[1]!), rig.answer(sent[2]!)],
    [
      [3, 3],
      [4, 4],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: when the last one that waits is withdrawn, nothing is left: no timer, no place in the queue', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  const waiting = rig.send([1, 1]);
  rig.clock.turn();
  assert.equal(rig.clock.waits, 1);
  waiting.withdraw(CANCELLED);
  assert.equal(rig.clock.waits, 0);
  rig.send([2, 2]);
  rig.clock.pass(1);
  const queued = rig.send([3, 3]);
  rig.clock.turn();
  assert.equal(rig.pool.waiting, 1);
  queued.withdraw(CANCELLED);
  assert.equal(rig.pool.waiting, 0);
  rig.finishAll();
  assert.equal(rig.pool.idle, 1);
});

test('batcher: the oldest that leaves takes its deadline along', () => {
  const rig = new Rig({ maxQueueDelayMicros: 500 });
  const oldest = rig.send([1, 1]);
  rig.clock.pass(0.4);
  rig.send([2, 2]);
  rig.clock.turn();
  oldest.withdraw(CANCELLED);
  rig.clock.pass(0.2);
  assert.deepEqual(rig.sizes, []);
  rig.clock.pass(0.3);
  assert.deepEqual(rig.sizes, [1]);
});

test('batcher: who is withdrawn while it runs changes nothing for the others', () => {
  const rig = new Rig();
  const sent = [1, 2].map((value) => rig.send([value, value]));
  rig.clock.turn();
  sent[0]!.withdraw(CANCELLED);
  assert.equal(sent[0]!.end, null);
  rig.finishAll();
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    [
      [2, 2],
      [3, 3],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: after a batch that failed each session is inferred by itself and gets what is its own', () => {
  const rig = new Rig();
  const sent = [1, 2, 3].map((value) => rig.send([value, value]));
  rig.clock.turn();
  rig.running[0]!.finish(FAULT);
  assert.deepEqual(rig.running[0]!.values, [1, 1]);
  rig.running[0]!.finish();
  rig.running[0]!.finish(FAULT);
  rig.running[0]!.finish();
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    [[2, 2], 'INFERENCE_FAILED', [4, 4]],
  );
  assert.deepEqual(
    sent.map(({ starts }) => starts),
    [1, 1, 1],
  );
  assert.equal(rig.arena.leasedRegions, 0);
  assert.equal(rig.pool.idle, 1);
});

test('batcher: who was withdrawn is not inferred again after a batch that failed', () => {
  const rig = new Rig();
  const sent = [1, 2, 3].map((value) => rig.send([value, value]));
  rig.clock.turn();
  sent[0]!.withdraw(CANCELLED);
  rig.running[0]!.finish(FAULT);
  assert.equal(rig.answer(sent[0]!), 'REQUEST_CANCELLED');
  assert.deepEqual(rig.running[0]!.values, [2, 2]);
  // This one waits for its second turn.
  sent[2]!.withdraw(CANCELLED);
  assert.equal(rig.answer(sent[2]!), 'REQUEST_CANCELLED');
  rig.finishAll();
  assert.deepEqual(rig.answer(sent[1]!), [3, 3]);
  assert.equal(rig.arena.leasedRegions, 0);
});

test('batcher: memory that cannot be had fails every session of the batch with an error of its own', () => {
  const rig = new Rig();
  const sent = [1, 2].map((value) => rig.send([value, value]));
  rig.arena.lease = () => {
    throw new RangeError('no memory');
  };
  rig.clock.turn();
  assert.deepEqual(
    sent.map((each) => rig.answer(each)),
    ['OUT_OF_MEMORY', 'OUT_OF_MEMORY'],
  );
  assert.notEqual(sent[0]!.end!.error, sent[1]!.end!.error);
  assert.equal(rig.arena.leasedRegions, 0);
  assert.equal(rig.pool.idle, 1);
});

test('batcher: an output of unknown size is split when it has the rows, else each session is inferred by itself', () => {
  const open = { min: 0, max: Infinity };
  const fitting = new Rig({ shape: [open, open] });
  const sent = [1, 2].map((value) => fitting.send([value, value]));
  fitting.clock.turn();
  fitting.finishAll();
  assert.deepEqual(
    sent.map((each) => fitting.answer(each)),
    [
      [2, 2],
      [3, 3],
    ],
  );
  const rig = new Rig({ shape: [open, open], allocatedShape: ([, width]) => [1, width!] });
  const others = [1, 2].map((value) => rig.send([value, value]));
  rig.clock.turn();
  rig.running[0]!.finish();
  assert.deepEqual(rig.sizes, [1]);
  rig.finishAll();
  assert.deepEqual(
    others.map((each) => rig.answer(each)),
    [
      [2, 2],
      [3, 3],
    ],
  );
  assert.equal(rig.arena.leasedRegions, 0);
});

for (const isDirect of [true, false]) {
  test(`batcher: ${isDirect ? 'direct requests' : 'nodes of pipelines'} are counted one by one, infer requests and inferences once a batch`, async () => {
    const rig = new Rig({ isDirect });
    const sent = [1, 2, 3].map((value) => rig.send([value, value]));
    assert.equal(await figure(rig, 'ovms_current_requests{name="m"'), isDirect ? '0' : '3');
    rig.clock.turn();
    assert.equal(await figure(rig, 'ovms_current_requests{name="m"'), '3');
    assert.equal(await figure(rig, 'ovms_infer_req_active{name="m"'), '1');
    assert.equal(await figure(rig, 'ovms_wait_for_infer_req_time_us_count{name="m"'), '3');
    rig.running[0]!.finish(FAULT);
    assert.equal(await figure(rig, 'ovms_current_requests{name="m"'), '3');
    sent[2]!.withdraw(CANCELLED);
    rig.finishAll();
    for (const each of sent) rig.answer(each);
    const later = [4, 5].map((value) => rig.send([value, value]));
    rig.clock.turn();
    rig.finishAll();
    for (const each of later) rig.answer(each);
    assert.equal(await figure(rig, 'ovms_current_requests{name="m"'), '0');
    assert.equal(await figure(rig, 'ovms_infer_req_active{name="m"'), '0');
    assert.equal(await figure(rig, 'ovms_inference_time_us_count{name="m"'), '3');
    const successes = 'ovms_requests_success{api="KServe",interface="gRPC",method="ModelInfer",name="m"';
    assert.equal(await figure(rig, successes), isDirect ? '0' : '4');
    assert.equal(await figure(rig, 'vinery_batch_size_count{name="m"'), '3');
    assert.equal(await figure(rig, 'vinery_batch_size_sum{name="m"'), '4');
    assert.equal(await figure(rig, 'vinery_batched_requests_total{name="m"'), '4');
  });
}
