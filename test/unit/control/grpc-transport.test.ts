import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseGrpcTransport, sharesLoop } from '#src/control/grpc-transport.js';
import type { NativeBinding } from '#src/native/binding.js';

const having = (fault: string): NativeBinding => ({ ingressFault: () => fault }) as NativeBinding;

test('gRPC transport: the one that was asked for', () => {
  assert.equal(chooseGrpcTransport(having(''), { grpcTransport: 'native', backend: 'native' }), 'native');
  assert.equal(chooseGrpcTransport(having(''), { grpcTransport: 'js', backend: 'native' }), 'js');
});

test('gRPC transport: auto is native where it can be had', () => {
  assert.equal(chooseGrpcTransport(having(''), { grpcTransport: 'auto', backend: 'native' }), 'native');
  assert.equal(chooseGrpcTransport(having('no nghttp2'), { grpcTransport: 'auto', backend: 'native' }), 'js');
  assert.equal(chooseGrpcTransport(having(''), { grpcTransport: 'auto', backend: 'openvino-node' }), 'js');
});

test('gRPC transport: native that cannot be had ends the start and says why', () => {
  const choose = (fault: string, backend: 'native' | 'openvino-node') => () =>
    chooseGrpcTransport(having(fault), { grpcTransport: 'native', backend });
  assert.throws(choose('no nghttp2', 'native'), { code: 'CONFIG_VALUE_INVALID', message: /no nghttp2$/ });
  assert.throws(choose('', 'openvino-node'), { code: 'CONFIG_VALUE_INVALID', message: /--backend native/ });
});

test('gRPC transport: a worker with fewer than four cores drives its sockets itself', () => {
  assert.equal(sharesLoop(1, 2), true);
  assert.equal(sharesLoop(1, 4), false);
  assert.equal(sharesLoop(2, 4), true);
  assert.equal(sharesLoop(16, 64), false);
});
