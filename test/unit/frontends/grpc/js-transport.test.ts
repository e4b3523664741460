import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { createJsTransport } from '#src/frontends/grpc/js-transport.js';
import type { RpcMethod, RpcService } from '#src/frontends/rpc.js';
import { STOPPING } from '#src/frontends/stopping.js';
import { ingressLimits } from '#src/ingress/ingress-limits.js';
import { grpcFrame, http2Call } from '../../../helpers/http2-call.js';
import { callHeaders, frame, FRAME } from '../../../helpers/http2-frames.js';
import {
  ACK,
  DEFAULT_WINDOW,
  LARGE_WINDOW,
  lastStreamOf,
  NO_LAST_STREAM,
  RawHttp2,
  resetStream,
  wholeCall,
  windowUpdate,
} from '../../../helpers/raw-http2.js';
import { connectRaw } from '../../../helpers/raw-socket.js';

const PATH = '/test.Service/Method';
const MESSAGE = Buffer.from('some bytes of a message');
const MIB = 1024 * 1024;
/** Of gRPC. */
const DEADLINE_EXCEEDED = '4';
const INTERNAL = '13';

interface Fixture {
  readonly port: number;
  readonly close: () => Promise<void>;
  readonly notices: readonly string[];
  /** How often the method began. */
  readonly begun: () => number;
}

const echo: RpcMethod = (request) => request;

async function withTransport(
  method: RpcMethod,
  use: (fixture: Fixture) => Promise<void>,
  limits = STOPPING,
): Promise<void> {
  let begun = 0;
  const counted: RpcMethod = (request, call) => {
    begun += 1;
    return method(request, call);
  };
  const service: RpcService = new Map([[PATH, counted]]);
  const notices: string[] = [];
  const transport = createJsTransport(
    service,
    {},
    ingressLimits({}, 1024 ** 3),
    (error) => assert.fail(String(error)),
    (text) => notices.push(text),
    limits,
  );
  const acceptor = createServer((socket) => transport.accept(socket));
  acceptor.listen(0, '127.0.0.1');
  await once(acceptor, 'listening');
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => (closed ??= transport.close());
  try {
    await use({ port: (acceptor.address() as AddressInfo).port, close, notices, begun: () => begun });
  } finally {
    acceptor.close();
    await close();
  }
}

/** Answers every ping of the server, as clients do. */
async function answerPings(client: RawHttp2): Promise<void> {
  let answered = 0;
  while (!client.socket.closed) {
    const pings = client.of(FRAME.PING).filter(({ flags }) => flags === 0);
    for (const { payload } of pings.slice(answered)) client.send(frame(FRAME.PING, ACK, 0, payload));
    answered = pings.length;
    await turn();
  }
}

describe('the end of grpc-js', () => {
  test('calls that are opened until the client has heard of it are answered', () =>
    withTransport(echo, async ({ port, close }) => {
      const client = await RawHttp2.open(port);
      const answering = answerPings(client);
      const closed = close();
      await client.next((each) => each.type === FRAME.GOAWAY);
      // Before the next ping is answered, which waits for a turn of the loop.
      client.send(wholeCall(1, PATH, MESSAGE), wholeCall(3, PATH, MESSAGE));
      for (const stream of [1, 3]) assert.deepEqual(await client.answer(stream), grpcFrame(MESSAGE));
      assert.equal((await client.ended).reset, false);
      const [first, last] = client.of(FRAME.GOAWAY).map(lastStreamOf);
      assert.deepEqual([first, last], [NO_LAST_STREAM, 3]);
      await Promise.all([closed, answering]);
    }));

  for (const mib of [1, 4, 20]) {
    test(`an answer of ${mib} MiB to a slow reader that goes on talking arrives whole, with its trailers`, () => {
      const answer = Buffer.alloc(mib * MIB, 'x');
      return withTransport(
        () => answer,
        async ({ port, close, notices, begun }) => {
          const client = await RawHttp2.open(port);
          client.socket.pause();
          client.send(wholeCall(1, PATH, MESSAGE));
          while (begun() === 0) await turn();
          const closed = close();
          const answered = client.answer(1);
          const answering = answerPings(client);
          while (!client.socket.closed) {
            client.socket.resume();
            await turn();
            client.socket.pause();
            if (client.socket.writable) client.send(windowUpdate(0, 1));
            for (let pause = 0; pause < 3; pause += 1) await turn();
            if (client.socket.readableEnded) client.socket.resume();
          }
          assert.equal((await answered).byteLength, mib * MIB + 5);
          await Promise.all([closed, answering]);
          assert.deepEqual(notices, []);
        },
      );
    });
  }

  const LIMITS = { farewellMs: 20, quietMs: 40, stalledMs: 100, unfinishedMs: 200 };
  for (const [title, sent] of [
    ['has said hello', []],
    ['has sent the headers of a call', [callHeaders(1, PATH)]],
    ['has sent half a message', [callHeaders(1, PATH), frame(FRAME.DATA, 0, 1, grpcFrame(MESSAGE, 10))]],
    ['has not ended its call', [callHeaders(1, PATH), frame(FRAME.DATA, 0, 1, grpcFrame(MESSAGE))]],
  ] as const) {
    test(`a client that ${title} and does nothing more does not hold it`, () =>
      withTransport(
        echo,
        async ({ port, close, begun }) => {
          const client = await RawHttp2.open(port);
          client.send(...sent);
          for (let round = 0; round < 5; round += 1) await turn();
          await close();
          await client.ended;
          assert.equal(begun(), 0);
        },
        LIMITS,
      ));
  }

  for (const [title, message] of [
    ['never ends its message', Buffer.alloc(MIB)],
    ['says more than its message', Buffer.alloc(5)],
  ] as const)
    test(`a client that ${title} and goes on talking does not hold it`, () =>
      withTransport(
        echo,
        async ({ port, close }) => {
          const client = await RawHttp2.open(port);
          client.send(callHeaders(1, PATH), frame(FRAME.DATA, 0, 1, grpcFrame(message, 10)));
          for (let round = 0; round < 5; round += 1) await turn();
          const closed = close();
          while (!client.socket.closed) {
            if (client.socket.writable) client.send(frame(FRAME.DATA, 0, 1, Buffer.from('x')));
            await turn();
          }
          await closed;
        },
        LIMITS,
      ));

  test('a connection on which nothing was said does not hold it, even if its client never closes', () =>
    withTransport(
      echo,
      async ({ port, close }) => {
        const { socket, ended } = await connectRaw(port);
        socket.pause();
        for (let round = 0; round < 5; round += 1) await turn();
        await close();
        socket.resume();
        await ended;
      },
      LIMITS,
    ));

  for (const [title, windows] of [
    ['keeps the windows of HTTP/2 closed', DEFAULT_WINDOW],
    ['does not read', LARGE_WINDOW],
  ] as const) {
    test(`a client that ${title} does not hold it`, () => {
      const answer = Buffer.alloc(32 * MIB);
      return withTransport(
        () => answer,
        async ({ port, close, begun }) => {
          const client = await RawHttp2.open(port, windows);
          client.socket.pause();
          client.send(wholeCall(1, PATH, MESSAGE));
          while (begun() === 0) await turn();
          for (let round = 0; round < 5; round += 1) await turn();
          await close();
          client.socket.destroy();
        },
        LIMITS,
      );
    });
  }
});

describe('a call that its client has left before it began', () => {
  test('in the same breath never begins', () =>
    withTransport(echo, async ({ port, begun }) => {
      const client = await RawHttp2.open(port);
      for (let stream = 1; stream < 128; stream += 2) {
        client.send(wholeCall(stream, PATH, MESSAGE), resetStream(stream, constants.NGHTTP2_CANCEL));
        await turn();
      }
      client.send(wholeCall(129, PATH, MESSAGE));
      await client.answer(129);
      assert.equal(begun(), 1);
      client.socket.destroy();
    }));

  for (const timeout of ['0n', '1n', '0u', '0m', '0S', '0M', '0H']) {
    test(`by a deadline of ${timeout} never begins`, () =>
      withTransport(echo, async ({ port, begun }) => {
        const headers = { 'grpc-timeout': timeout };
        assert.equal(await http2Call(port, PATH, grpcFrame(MESSAGE), headers), DEADLINE_EXCEEDED);
        assert.equal(begun(), 0);
      }));
  }

  for (const timeout of ['1', 'S', '-1S', '1.5S', '1s', '123456789S', 'x5S', '5Sx']) {
    test(`by "${timeout}", which is no deadline, is refused`, () =>
      withTransport(echo, async ({ port, begun }) => {
        const headers = { 'grpc-timeout': timeout };
        assert.equal(await http2Call(port, PATH, grpcFrame(MESSAGE), headers), INTERNAL);
        assert.equal(begun(), 0);
      }));
  }

  for (const timeout of ['10S', '1H', '597H', '35792M', '99999999H', '99999999M', '99999999S']) {
    test(`by a deadline of ${timeout}, which is far away, is answered`, () =>
      withTransport(echo, async ({ port }) => {
        assert.equal(await http2Call(port, PATH, grpcFrame(MESSAGE), { 'grpc-timeout': timeout }), '0');
      }));
  }
});
