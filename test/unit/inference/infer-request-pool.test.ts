import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { InferRequest } from '#src/inference/inference.js';
import { InferRequestPool } from '#src/inference/infer-request-pool.js';

function fakeRequest(): InferRequest & { closed: boolean } {
  return {
    closed: false,
    infer: () => assert.fail('nothing is inferred here'),
    close() {
      this.closed = true;
    },
  };
}

test('pool: an idle infer request is granted at once', () => {
  const request = fakeRequest();
  const pool = new InferRequestPool([request]);
  let granted: InferRequest | null = null;
  pool.acquire((given) => (granted = given));
  assert.equal(granted, request);
  assert.equal(pool.idle, 0);
});

test('pool: whoever waits longest is granted first, in the event that gives an infer request back', () => {
  const request = fakeRequest();
  const pool = new InferRequestPool([request]);
  const order: string[] = [];
  pool.acquire(() => order.push('running'));
  pool.acquire(() => order.push('first'));
  pool.acquire(() => order.push('second'));
  assert.deepEqual(order, ['running']);
  pool.giveBack(request);
  assert.deepEqual(order, ['running', 'first']);
  pool.giveBack(request);
  assert.deepEqual(order, ['running', 'first', 'second']);
});

test('pool: a withdrawn ticket is never granted and leaves the order of the others', () => {
  const request = fakeRequest();
  const pool = new InferRequestPool([request]);
  const order: string[] = [];
  pool.acquire(() => order.push('running'));
  const withdrawn = pool.acquire(() => order.push('withdrawn'));
  pool.acquire(() => order.push('last'));
  assert.equal(pool.withdraw(withdrawn), true);
  assert.equal(pool.withdraw(withdrawn), false);
  pool.giveBack(request);
  assert.deepEqual(order, ['running', 'last']);
});

test('pool: a ticket that was granted cannot be withdrawn', () => {
  const pool = new InferRequestPool([fakeRequest()]);
  const ticket = pool.acquire(() => undefined);
  assert.equal(pool.withdraw(ticket), false);
});

test('pool: closing it while an infer request is in use is a bug and says so', () => {
  const request = fakeRequest();
  const pool = new InferRequestPool([request, fakeRequest()]);
  let granted: InferRequest | null = null;
  pool.acquire((given) => (granted = given));
  assert.throws(() => pool.close(), /1 of 2 infer requests are still in use/);
  pool.giveBack(granted!);
  pool.close();
  assert.equal(request.closed, true);
});
