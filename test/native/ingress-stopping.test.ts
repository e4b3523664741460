import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { RpcMethod, RpcService } from '#src/frontends/rpc.js';
import { grpcFrame, http2Call } from '../helpers/http2-call.js';
import { callHeaders, END_HEADERS, END_STREAM, frame, FRAME } from '../helpers/http2-frames.js';
import { withIngress, type ServedIngress } from '../helpers/ingress.js';
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
} from '../helpers/raw-http2.js';
import { connectRaw } from '../helpers/raw-socket.js';
import { bytesOf, ECHO, withEcho } from './ingress-echo.js';

const MIB = 1024 * 1024;
const MESSAGE = bytesOf(100);
const DEADLINE_EXCEEDED = '4';
const INTERNAL = '13';

/** A service that counts how often its method began. */
function counting(): { readonly service: RpcService; readonly begun: () => number } {
  let count = 0;
  const method: RpcMethod = (request) => {
    count += 1;
    return Buffer.from(request);
  };
  return { service: new Map([[ECHO, method]]), begun: () => count };
}

/** An answer of many bytes to a request of few. */
function largeAnswers(length: number): RpcService {
  const answer = Buffer.alloc(length, bytesOf(251));
  return new Map([[ECHO, () => answer]]);
}

/** Reads at the pace of the event loop, and says after each piece that it was taken, as HTTP/2 clients do. */
async function readSlowly({ socket }: RawHttp2, isDone: () => boolean): Promise<void> {
  for (let round = 0; !isDone() && !socket.destroyed; round += 1) {
    socket.resume();
    await turn();
    socket.pause();
    if (socket.writable) socket.write(Buffer.concat([windowUpdate(0, 1), windowUpdate(0, 1)]));
    for (let pause = 0; pause < 3; pause += 1) await turn();
  }
  socket.resume();
}

describe('the end of the ingress', () => {
  test('a client is asked to open no more calls before it is asked whether it has heard so; calls between are answered', () =>
    withEcho(async ({ port, transport }) => {
      const client = await RawHttp2.open(port);
      const closed = transport.close();
      const ping = await client.next((each) => each.type === FRAME.PING && each.flags === 0);
      const order = client.frames
        .map(({ type }) => type)
        .filter((type) => type === FRAME.PING || type === FRAME.GOAWAY);
      assert.deepEqual(order, [FRAME.GOAWAY, FRAME.PING]);
      assert.deepEqual(client.of(FRAME.GOAWAY).map(lastStreamOf), [NO_LAST_STREAM]);
      client.send(wholeCall(1, ECHO, MESSAGE), wholeCall(3, ECHO, MESSAGE), frame(FRAME.PING, ACK, 0, ping.payload));
      for (const stream of [1, 3]) assert.deepEqual(await client.answer(stream), grpcFrame(MESSAGE));
      const { reset } = await client.ended;
      assert.equal(reset, false);
      assert.deepEqual(client.of(FRAME.GOAWAY).map(lastStreamOf), [NO_LAST_STREAM, 3]);
      await closed;
    }));

  test('the answer to a ping of before is not taken for one to the question whether it has heard', () =>
    withEcho(
      async ({ port, transport }) => {
        const client = await RawHttp2.open(port);
        const alive = await client.next((each) => each.type === FRAME.PING && each.flags === 0);
        const closed = transport.close();
        await client.next((each) => each.type === FRAME.GOAWAY);
        client.send(frame(FRAME.PING, ACK, 0, alive.payload));
        const heard = await client.next((each) => each.type === FRAME.PING && !each.payload.equals(alive.payload));
        client.send(wholeCall(1, ECHO, MESSAGE), frame(FRAME.PING, ACK, 0, heard.payload));
        assert.deepEqual(await client.answer(1), grpcFrame(MESSAGE));
        await client.ended;
        await closed;
      },
      { channelArguments: { 'grpc.keepalive_time_ms': 1, 'grpc.keepalive_timeout_ms': 300 } },
    ));

  test('a client whose connection the system has made, and that the server has not taken yet, is answered', () =>
    withEcho(async ({ port, transport }) => {
      const connecting = RawHttp2.open(port);
      // Nothing of it can have been seen: this thread serves, and has not looked since.
      const closed = turn().then(() => transport.close());
      const client = await connecting;
      client.send(wholeCall(1, ECHO, MESSAGE));
      assert.deepEqual(await client.answer(1), grpcFrame(MESSAGE));
      const ping = await client.next((each) => each.type === FRAME.PING && each.flags === 0);
      client.send(frame(FRAME.PING, ACK, 0, ping.payload));
      await Promise.all([client.ended, closed]);
    }));

  for (const mib of [1, 4, 20]) {
    test(`an answer of ${mib} MiB to a slow reader that goes on talking arrives whole, with its trailers`, () =>
      withIngress(largeAnswers(mib * MIB), async ({ port, transport, notices }) => {
        const client = await RawHttp2.open(port);
        client.socket.pause();
        client.send(wholeCall(1, ECHO, MESSAGE));
        await turn();
        const closed = transport.close();
        const answered = client.answer(1);
        let isOver = false;
        void client.ended.then(() => (isOver = true));
        const acknowledge = client
          .next((each) => each.type === FRAME.PING && each.flags === 0)
          .then(({ payload }) => client.send(frame(FRAME.PING, ACK, 0, payload)));
        await readSlowly(client, () => isOver);
        assert.equal((await answered).byteLength, mib * MIB + 5);
        await acknowledge;
        await closed;
        assert.deepEqual(notices, []);
      }));
  }

  const LIMITS = { farewellMs: 20, quietMs: 20, stalledMs: 60, unfinishedMs: 120 };
  const HOLDING: readonly (readonly [string, (port: number) => Promise<{ readonly ended: Promise<unknown> }>])[] = [
    ['a connection on which nothing was said', connectRaw],
    ['a client that answers nothing', (port) => RawHttp2.open(port)],
    [
      'a call of headers only',
      async (port) => {
        const client = await RawHttp2.open(port);
        client.send(callHeaders(1, ECHO));
        return client;
      },
    ],
    [
      'half a message',
      async (port) => {
        const client = await RawHttp2.open(port);
        client.send(callHeaders(1, ECHO), frame(FRAME.DATA, 0, 1, grpcFrame(MESSAGE, 60)));
        return client;
      },
    ],
    [
      'a message without the end of its call',
      async (port) => {
        const client = await RawHttp2.open(port);
        client.send(callHeaders(1, ECHO), frame(FRAME.DATA, 0, 1, grpcFrame(MESSAGE)));
        return client;
      },
    ],
  ];
  for (const [title, hold] of HOLDING) {
    test(`${title} does not hold it`, () =>
      withEcho(
        async ({ port, transport }) => {
          const client = await hold(port);
          for (let round = 0; round < 3; round += 1) await turn();
          await transport.close();
          await client.ended;
        },
        { limits: LIMITS },
      ));
  }

  test('a request that was never sent to its end is reset as one that was not worked on', () =>
    withEcho(
      async ({ port, transport }) => {
        const client = await RawHttp2.open(port);
        client.send(callHeaders(1, ECHO), frame(FRAME.DATA, 0, 1, grpcFrame(MESSAGE, 60)));
        await turn();
        const closed = transport.close();
        const { payload } = await client.next((each) => each.type === FRAME.RST_STREAM);
        assert.equal(payload.readUInt32BE(0), constants.NGHTTP2_REFUSED_STREAM);
        await closed;
      },
      { limits: LIMITS },
    ));

  test('a request that comes slowly, and comes to its end, is answered', () =>
    withEcho(
      async ({ port, transport }) => {
        const client = await RawHttp2.open(port);
        const message = grpcFrame(MESSAGE);
        client.send(callHeaders(1, ECHO));
        for (let sent = 0; sent < message.byteLength; sent += 1) {
          const flags = sent + 1 === message.byteLength ? END_STREAM : 0;
          client.send(frame(FRAME.DATA, flags, 1, message.subarray(sent, sent + 1)));
          if (sent === 10) void transport.close();
          await turn();
        }
        assert.deepEqual(await client.answer(1), message);
      },
      { limits: { quietMs: 200 } },
    ));

  for (const [title, windows] of [
    ['keeps the windows of HTTP/2 closed', DEFAULT_WINDOW],
    ['does not read', LARGE_WINDOW],
  ] as const) {
    test(`a client that ${title} does not hold it, and the log has it`, () =>
      withIngress(
        largeAnswers(32 * MIB),
        async ({ port, transport, notices }) => {
          const client = await RawHttp2.open(port, windows);
          client.socket.pause();
          client.send(wholeCall(1, ECHO, MESSAGE));
          for (let round = 0; round < 10; round += 1) await turn();
          await transport.close();
          assert.match(notices.join('\n'), /has not read its answers for too long while the server stops$/);
          client.socket.destroy();
        },
        { limits: LIMITS },
      ));
  }

  test('a client that floods is told so before its connection ends', () =>
    withEcho(async ({ port }) => {
      const client = await RawHttp2.open(port);
      const ping = frame(FRAME.PING, 0, 0, Buffer.alloc(8));
      client.send(Buffer.concat(Array.from({ length: 50_000 }, () => ping)));
      const { payload } = await client.next((each) => each.type === FRAME.GOAWAY);
      assert.equal(payload.readUInt32BE(4), constants.NGHTTP2_ENHANCE_YOUR_CALM);
      assert.equal((await client.ended).reset, false);
    }));
});

describe('a call that its client has left before it began', () => {
  const CANCEL = constants.NGHTTP2_CANCEL;

  test('in the same breath never begins', async () => {
    const { service, begun } = counting();
    await withIngress(service, async ({ port }: ServedIngress) => {
      const client = await RawHttp2.open(port);
      for (let stream = 1; stream < 128; stream += 2) {
        client.send(wholeCall(stream, ECHO, MESSAGE), resetStream(stream, CANCEL));
        await turn();
      }
      client.send(wholeCall(129, ECHO, MESSAGE));
      await client.answer(129);
      client.socket.destroy();
    });
    assert.equal(begun(), 1);
  });

  test('of a large message never begins', async () => {
    const { service, begun } = counting();
    const message = bytesOf(900_000);
    await withIngress(service, async ({ port }: ServedIngress) => {
      const client = await RawHttp2.open(port);
      const whole = grpcFrame(message);
      const frames = [callHeaders(1, ECHO, END_HEADERS)];
      for (let sent = 0; sent < whole.byteLength; sent += 16_384) {
        const last = sent + 16_384 >= whole.byteLength;
        frames.push(frame(FRAME.DATA, last ? END_STREAM : 0, 1, whole.subarray(sent, sent + 16_384)));
      }
      client.send(...frames, resetStream(1, CANCEL), wholeCall(3, ECHO, MESSAGE));
      await client.answer(3);
      client.socket.destroy();
    });
    assert.equal(begun(), 1);
  });

  for (const timeout of ['0n', '1n', '0u', '0m', '0S', '0M', '0H', '00000000S']) {
    test(`by a deadline of ${timeout} never begins`, async () => {
      const { service, begun } = counting();
      await withIngress(service, async ({ port }) => {
        assert.equal(await http2Call(port, ECHO, grpcFrame(MESSAGE), { 'grpc-timeout': timeout }), DEADLINE_EXCEEDED);
      });
      assert.equal(begun(), 0);
    });
  }

  for (const timeout of ['1', 'S', '-1S', '1.5S', '1s', '123456789S']) {
    test(`by "${timeout}", which is no deadline, is refused`, async () => {
      const { service, begun } = counting();
      await withIngress(service, async ({ port }) => {
        assert.equal(await http2Call(port, ECHO, grpcFrame(MESSAGE), { 'grpc-timeout': timeout }), INTERNAL);
      });
      assert.equal(begun(), 0);
    });
  }
});
