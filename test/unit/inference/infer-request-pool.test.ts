import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import type { InferRequest } from '#src/inference/inference.js';
import { InferRequestPool, type Ticket } from '#src/inference/infer-request-pool.js';
import { LoadGate } from '#src/inference/load-gate.js';
import { covers } from '../../contract/covers.js';

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
  covers('scheduling.fifo');
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
  const withdrawn = pool.acquire(() => order.push('withdrawn'))!;
  pool.acquire(() => order.push('last'));
  assert.equal(pool.withdraw(withdrawn), true);
  assert.equal(pool.withdraw(withdrawn), false);
  pool.giveBack(request);
  assert.deepEqual(order, ['running', 'last']);
});

test('pool: however waiting, withdrawing and giving back mix, everyone is granted in the order of asking', () => {
  covers('scheduling.fifo');
  const step = fc.oneof(fc.constant('acquire' as const), fc.constant('give back' as const), fc.nat());
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), (steps, size) => {
      const inUse: InferRequest[] = [];
      const granted: number[] = [];
      const expected: number[] = [];
      let waiting: number[] = [];
      const pool = new InferRequestPool(Array.from({ length: size }, fakeRequest));
      const tickets: (Ticket | null)[] = [];
      for (const each of steps) {
        if (each === 'acquire') {
          const number = tickets.length;
          (inUse.length < size ? expected : waiting).push(number);
          tickets.push(
            pool.acquire((request) => {
              inUse.push(request);
              granted.push(number);
            }),
          );
        } else if (each !== 'give back') {
          const number = waiting[each % waiting.length];
          waiting = waiting.filter((other) => other !== number);
          if (number !== undefined) assert.ok(pool.withdraw(tickets[number]!));
        } else if (inUse.length > 0) {
          expected.push(...waiting.splice(0, 1));
          pool.giveBack(inUse.shift()!);
        }
        assert.deepEqual(granted, expected);
        assert.deepEqual([pool.waiting, pool.idle], [waiting.length, size - inUse.length]);
      }
    }),
  );
});

test('pool: a ticket that was granted cannot be withdrawn', () => {
  const request = fakeRequest();
  const pool = new InferRequestPool([request]);
  assert.equal(
    pool.acquire(() => undefined),
    null,
  );
  const ticket = pool.acquire(() => undefined)!;
  pool.giveBack(request);
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

/** A pool of one infer request, with all that asked for one so far, in order. */
function crowd(asking: number): {
  readonly pool: InferRequestPool;
  readonly usual: InferRequest & { closed: boolean };
  readonly granted: InferRequest[];
  readonly told: () => number;
} {
  const usual = fakeRequest();
  const granted: InferRequest[] = [];
  let told = 0;
  const pool = new InferRequestPool([usual], new LoadGate(), () => (told += 1));
  for (let index = 0; index < asking; index += 1) pool.acquire((request) => granted.push(request));
  return { pool, usual, granted, told: () => told };
}

test('pool: it says once when requests wait for one another, and not before', () => {
  assert.equal(crowd(8).told(), 0);
  assert.equal(crowd(9).told(), 1);
  assert.equal(crowd(100).told(), 1);
});

test('pool: in a crowd the second set serves those that wait, and the first rests when it is given back', () => {
  const { pool, usual, granted } = crowd(12);
  assert.deepEqual(granted, [usual]);
  const second = [fakeRequest(), fakeRequest()];
  pool.addForThroughput(second);
  assert.deepEqual(granted, [usual, ...second]);
  pool.giveBack(usual);
  assert.equal(granted.length, 3);
  while (pool.waiting > 0) pool.giveBack(granted.at(-1)!);
  assert.deepEqual(new Set(granted.slice(1)), new Set(second));
});

test('pool: without a crowd the first set serves again, and all of both are closed', () => {
  const { pool, usual, granted } = crowd(9);
  const second = [fakeRequest(), fakeRequest()];
  pool.addForThroughput(second);
  pool.giveBack(usual);
  while (pool.waiting > 0) pool.giveBack(granted.at(-1)!);
  for (const request of second) pool.giveBack(request);
  const alone = Array.from({ length: 9 }, () => {
    pool.acquire((request) => granted.push(request));
    const request = granted.at(-1)!;
    pool.giveBack(request);
    return request === usual;
  });
  assert.deepEqual(alone, [...new Array<boolean>(7).fill(false), true, true]);
  pool.close();
  assert.ok([usual, ...second].every(({ closed }) => closed));
});

test('pool: closing it while one of the second set is in use says so, too', () => {
  const { pool, usual, granted } = crowd(9);
  pool.addForThroughput([fakeRequest(), fakeRequest(), ...Array.from({ length: 8 }, fakeRequest)]);
  pool.giveBack(usual);
  for (const request of granted.slice(2)) pool.giveBack(request);
  assert.throws(() => pool.close(), /1 of 10 infer requests are still in use/);
});
