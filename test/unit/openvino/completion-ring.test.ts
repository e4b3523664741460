import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CompletionRing } from '#src/inference/completion-ring.js';
import {
  COMPLETION_STRIDE,
  NATIVE_STATUS,
  type CustomExecutionHandle,
  type CustomNodeHandle,
  type InferRequestHandle,
  type NativeBinding,
} from '#src/native/binding.js';

const FAILED = NATIVE_STATUS.indexOf('INFERENCE_FAILED');
const unexpected = (): never => assert.fail('nobody was to be called');
const request = {} as InferRequestHandle;
const node = {} as CustomNodeHandle;
const execution = {} as CustomExecutionHandle;
const table = new Float64Array();

/** The part of native code that the ring uses; tests say when inferences end. */
class FakeNative {
  readonly started: number[] = [];
  opened = 0;
  fault: Error | null = null;
  inferStatus = 0;
  #records: Int32Array = new Int32Array();
  #drain: (count: number) => void = unexpected;

  openCompletions(records: Int32Array, drain: (count: number) => void): void {
    this.opened += 1;
    this.#records = records;
    this.#drain = drain;
  }

  start(_request: InferRequestHandle, token: number): void {
    if (this.fault !== null) throw this.fault;
    this.started.push(token);
  }

  startCustomNode(_node: CustomNodeHandle, _table: Float64Array, token: number): CustomExecutionHandle {
    if (this.fault !== null) throw this.fault;
    this.started.push(token);
    return execution;
  }

  infer(_request: InferRequestHandle, token: number): number {
    if (this.fault !== null) throw this.fault;
    this.started.push(token);
    return this.inferStatus;
  }

  takeError(token: number): string {
    return `text of ${token}`;
  }

  complete(...records: [token: number, status: number, micros: number][]): void {
    this.#records.set(records.flat());
    this.#drain(records.length);
  }
}

function newRing(): { readonly native: FakeNative; readonly ring: CompletionRing } {
  const native = new FakeNative();
  return { native, ring: CompletionRing.of(native as unknown as NativeBinding) };
}

test('completion ring: one for each environment, opened once', () => {
  const { native, ring } = newRing();
  assert.equal(CompletionRing.of(native as unknown as NativeBinding), ring);
  assert.equal(native.opened, 1);
  assert.notEqual(newRing().ring, ring);
});

test('completion ring: each end goes to who started it, with the text of a failure', () => {
  const { native, ring } = newRing();
  const ends: unknown[][] = [];
  for (const name of ['first', 'second', 'third']) {
    ring.start(request, { complete: (...end) => ends.push([name, ...end]) });
  }
  assert.deepEqual(native.started, [0, 1, 2]);
  native.complete([2, 0, 30], [0, FAILED, 10]);
  native.complete([1, 0, 20]);
  assert.deepEqual(ends, [
    ['third', 0, 30, ''],
    ['first', FAILED, 10, 'text of 0'],
    ['second', 0, 20, ''],
  ]);
});

test('completion ring: inferences and executions of custom nodes share it', () => {
  const { native, ring } = newRing();
  const ends: unknown[][] = [];
  ring.start(request, { complete: (...end) => ends.push(['inference', ...end]) });
  const started = ring.startCustomNode(node, table, { complete: (...end) => ends.push(['execution', ...end]) });
  assert.equal(started, execution);
  native.complete([1, FAILED, 5], [0, 0, 6]);
  assert.deepEqual(ends, [
    ['execution', FAILED, 5, 'text of 1'],
    ['inference', 0, 6, ''],
  ]);
});

test('completion ring: who is told may start again at once', () => {
  const { native, ring } = newRing();
  let ends = 0;
  const complete = (): void => {
    ends += 1;
    if (ends < 3) ring.start(request, { complete });
  };
  ring.start(request, { complete });
  for (const token of [0, 0, 0]) native.complete([token, 0, 1]);
  assert.deepEqual([ends, native.started], [3, [0, 0, 0]]);
});

test('completion ring: tokens are used again, also after a start that threw', () => {
  const { native, ring } = newRing();
  const listener = { complete: unexpected };
  native.fault = new TypeError('request: the handle is closed');
  assert.throws(() => ring.start(request, listener), native.fault);
  assert.throws(() => ring.startCustomNode(node, table, listener), native.fault);
  assert.throws(() => ring.infer(request), native.fault);
  native.fault = null;
  ring.infer(request);
  ring.infer(request);
  ring.start(request, listener);
  ring.infer(request);
  assert.deepEqual(native.started, [0, 0, 0, 1]);
});

test('completion ring: waiting here tells status and text', () => {
  const { native, ring } = newRing();
  assert.deepEqual(ring.infer(request), { status: 0, text: '' });
  native.inferStatus = FAILED;
  assert.deepEqual(ring.infer(request), { status: FAILED, text: 'text of 0' });
});

test('completion ring: there is room for many ends in one crossing', () => {
  const { native, ring } = newRing();
  let ends = 0;
  for (let count = 0; count < 256; count += 1) ring.start(request, { complete: () => (ends += 1) });
  native.complete(...native.started.map((token): [number, number, number] => [token, 0, COMPLETION_STRIDE]));
  assert.equal(ends, 256);
});
