import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { HEALTH_CHECK, HEALTH_WATCH, healthService } from '#src/frontends/grpc/health.js';
import { wholeMessage } from '#src/frontends/rpc.js';
import type { ServerState } from '#src/frontends/server-state.js';
import { fakeCall, messages } from '../kserve/fake-serving.js';
import { bytesField, hex } from '../tfs/wire.js';

const SERVICES = new Set(['a.B']);
const [SERVING, NOT_SERVING, SERVICE_UNKNOWN] = [hex('0801'), hex('0802'), hex('0803')];

/** Becomes ready when the test says so. */
class Starting implements ServerState {
  readonly version = '1';
  becomeReady!: () => void;
  #isReady = false;
  readonly #ready = new Promise<void>((resolve) => {
    this.becomeReady = () => {
      this.#isReady = true;
      resolve();
    };
  });

  isReady(): boolean {
    return this.#isReady;
  }

  ready(): Promise<void> {
    return this.#ready;
  }
}

async function check(server: ServerState, service: string): Promise<Buffer> {
  const method = healthService(SERVICES, server).get(HEALTH_CHECK);
  assert.ok(typeof method === 'function');
  return Buffer.from(wholeMessage(await method(bytesField(1, service), fakeCall())));
}

function watch(server: ServerState, service: string, signal?: AbortSignal): AsyncIterator<Uint8Array> {
  const method = healthService(SERVICES, server).get(HEALTH_WATCH);
  assert.ok(typeof method === 'object');
  return method.stream(messages(bytesField(1, service)), fakeCall(signal))[Symbol.asyncIterator]();
}

test('health: the server and each of its services serve once the server is ready', async () => {
  const server = new Starting();
  for (const service of ['', 'a.B']) assert.deepEqual(await check(server, service), NOT_SERVING);
  server.becomeReady();
  for (const service of ['', 'a.B']) assert.deepEqual(await check(server, service), SERVING);
});

test('health: Check of an unknown service is not found', async () => {
  await assert.rejects(check(new Starting(), 'a.C'), (error) => {
    assert.ok(error instanceof ServingError);
    assert.deepEqual(error.grpcStatus(), {
      code: 5,
      details: 'Service with requested name is not found - service: a.C',
    });
    return true;
  });
});

test('health: Check that is malformed is refused', async () => {
  const method = healthService(SERVICES, new Starting()).get(HEALTH_CHECK);
  assert.ok(typeof method === 'function');
  await assert.rejects(async () => method(hex('0aff'), fakeCall()), /HealthCheckRequest/);
});

test('health: Watch tells the status, its change, and ends with the call', async () => {
  const server = new Starting();
  const leaving = new AbortController();
  const answers = watch(server, 'a.B', leaving.signal);
  assert.deepEqual(Buffer.from((await answers.next()).value as Uint8Array), NOT_SERVING);
  const next = answers.next();
  server.becomeReady();
  assert.deepEqual(Buffer.from((await next).value as Uint8Array), SERVING);
  const end = answers.next();
  leaving.abort();
  assert.equal((await end).done, true);
});

test('health: Watch of an unknown service says so and stays open', async () => {
  const leaving = new AbortController();
  const answers = watch(new Starting(), 'a.C', leaving.signal);
  assert.deepEqual(Buffer.from((await answers.next()).value as Uint8Array), SERVICE_UNKNOWN);
  const end = answers.next();
  leaving.abort();
  assert.equal((await end).done, true);
});
