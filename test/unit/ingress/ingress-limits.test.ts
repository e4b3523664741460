import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ignoredArguments, ingressLimits } from '#src/ingress/ingress-limits.js';
import { refusalError } from '#src/ingress/refusal.js';
import { INGRESS_REFUSAL } from '#src/native/ingress-binding.js';

const GIB = 1024 ** 3;

test('ingress limits: more calls than 256 on one connection, and messages of 1 GiB, unless the arguments say otherwise', () => {
  const limits = ingressLimits({}, 2 * GIB);
  assert.ok(limits.maxConcurrentStreams >= 256);
  assert.equal(limits.messageBytes, GIB);
  const told = ingressLimits(
    { 'grpc.max_concurrent_streams': 3, 'grpc.keepalive_time_ms': 7, 'grpc.keepalive_timeout_ms': 8 },
    2 * GIB,
  );
  assert.deepEqual([told.maxConcurrentStreams, told.keepaliveTimeMs, told.keepaliveTimeoutMs], [3, 7, 8]);
});

test('ingress limits: arguments that are no numbers, or too small, or unknown, say nothing', () => {
  const byDefault = ingressLimits({}, GIB);
  const odd = { 'grpc.max_concurrent_streams': 'many', 'grpc.keepalive_time_ms': -1, 'grpc.nothing': 5 };
  assert.deepEqual(ingressLimits(odd, GIB), byDefault);
});

test('ingress limits: connections last as long as they like, unless the arguments say otherwise', () => {
  const { maxIdleMs, maxAgeMs, maxAgeGraceMs } = ingressLimits({ 'grpc.max_connection_age_ms': 2 ** 31 - 1 }, GIB);
  assert.deepEqual([maxIdleMs, maxAgeMs, maxAgeGraceMs], [0, 0, 0]);
  const told = ingressLimits(
    {
      'grpc.max_connection_idle_ms': 1,
      'grpc.max_connection_age_ms': 2,
      'grpc.max_connection_age_grace_ms': 3,
      'grpc.server_handshake_timeout_ms': 4,
      'grpc.http2.max_frame_size': 2 ** 30,
      'grpc.http2.lookahead_bytes': 2 ** 24,
    },
    GIB,
  );
  assert.deepEqual([told.maxIdleMs, told.maxAgeMs, told.maxAgeGraceMs, told.handshakeTimeoutMs], [1, 2, 3, 4]);
  assert.deepEqual([told.maxFrameSize, told.streamWindow, told.connectionWindow], [2 ** 24 - 1, 2 ** 24, 2 ** 24]);
});

test('ingress limits: arguments that change nothing are named, with the reason', () => {
  assert.deepEqual(ignoredArguments({ 'grpc.max_concurrent_streams': 5 }), []);
  assert.deepEqual(ignoredArguments({ 'grpc.max_metadata_size': 1, toString: 'x', 'grpc.keepalive_time_ms': 'long' }), [
    'grpc.max_metadata_size is ignored - Expected: a whole number from 1024 on; Actual: 1',
    'toString has no effect with the native gRPC transport',
    'grpc.keepalive_time_ms is ignored - Expected: a whole number from 1 on; Actual: long',
  ]);
});

test('ingress limits: what lies idle or waits is a part of the memory', () => {
  const { stockBytes, keptBytes } = ingressLimits({}, 1000);
  assert.deepEqual([stockBytes, keptBytes], [250, 250]);
});

test('refusals: every reason has a status and a sentence of its own, but for methods nobody has', () => {
  const limits = { messageBytes: 100, headerBytes: 200 };
  const texts = Object.values(INGRESS_REFUSAL).map((reason) => {
    const { code, details } = refusalError({ reason, size: 101, encoding: 'br', limits }).grpcStatus();
    return `${code} ${details}`;
  });
  assert.equal(new Set(texts).size, texts.length);
  assert.ok(texts.includes('12 '));
  assert.ok(texts.includes('4 Deadline of the request has passed'));
});
