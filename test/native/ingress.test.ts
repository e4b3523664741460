import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants, type ClientHttp2Session } from 'node:http2';
import { describe, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { ServingError } from '#src/errors.js';
import { ScatteredMessage } from '#src/frontends/protobuf/scattered-message.js';
import type { RpcAnswer, RpcCall, RpcMethod, RpcStream } from '#src/frontends/rpc.js';
import { PREDICT_CONTENT, encodePredictRequest, decodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { abortSignalOf } from '#src/servables/cancellation.js';
import { REGION_ALIGNMENT, type Arena } from '#src/tensors/arena.js';
import { GrpcClient, withGrpcClient } from '../helpers/grpc-client.js';
import { GRPC_HEADERS, grpcFrame } from '../helpers/http2-call.js';
import { callHeaders, END_HEADERS, END_STREAM, FRAME, frame, headerBlock, PREFACE } from '../helpers/http2-frames.js';
import { withIngress, type ServedIngress } from '../helpers/ingress.js';
import { connectRaw, sendRaw } from '../helpers/raw-socket.js';
import { floatTensor } from '../helpers/tensors.js';
import { assertEchoes, bytesOf, ECHO, withEcho, withSession } from './ingress-echo.js';
import { binding } from './support.js';

const MIB = 1024 ** 2;

/** What a call without a gRPC library was answered. */
interface PlainAnswer {
  readonly http: number;
  readonly status: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | number>>;
}

function plainCall(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body: readonly Uint8Array[],
): Promise<PlainAnswer> {
  return new Promise((resolve) => {
    const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO, ...headers });
    const seen: Record<string, string | number> = {};
    const take = (received: object): void => void Object.assign(seen, received);
    stream.on('response', take);
    stream.on('trailers', take);
    stream.on('error', () => undefined);
    stream.on('data', () => undefined);
    stream.once('close', () =>
      resolve({
        http: Number(seen[':status'] ?? 0),
        status: String(seen['grpc-status'] ?? ''),
        text: decodeURIComponent(String(seen['grpc-message'] ?? '')),
        headers: seen,
      }),
    );
    for (const part of body) stream.write(part);
    stream.end();
  });
}

describe('messages', () => {
  test('of any size come back as they were sent, over one connection', async () => {
    await withEcho(async ({ port }) => {
      await withGrpcClient(port, async (client) => {
        for (const length of [0, 1, 4, 63, 64, 4031, 4032, 4096, 16_383, 65_536, 602_112, 9 * MIB]) {
          await assertEchoes(client, bytesOf(length));
        }
      });
    });
  });

  test('cut into the smallest frames come back as they were sent', async () => {
    await withEcho(async ({ port }) => {
      await withSession(port, async (session) => {
        const message = grpcFrame(bytesOf(300));
        const parts = Array.from(message, (byte) => Buffer.of(byte));
        assert.equal((await plainCall(session, {}, parts)).status, '0');
      });
    });
  });

  for (const [encoding, encode] of [['gzip', gzipSync] as const, ['deflate', deflateSync] as const]) {
    test(`in ${encoding} are decoded`, async () => {
      const seen: Buffer[] = [];
      const method: RpcMethod = (request) => {
        seen.push(Buffer.from(request));
        return Buffer.alloc(0);
      };
      await withIngress(new Map([[ECHO, method]]), async ({ port }) => {
        await withSession(port, async (session) => {
          const body = grpcFrame(encode(bytesOf(100_000)));
          body[0] = 1;
          assert.equal((await plainCall(session, { 'grpc-encoding': encoding }, [body])).status, '0');
        });
      });
      assert.ok(seen[0]!.equals(bytesOf(100_000)));
    });
  }

  for (const elements of [10, 150_528]) {
    test(`a tensor of ${elements * 4} bytes is received into leased memory, at a multiple of 64 bytes`, async () => {
      const input = floatTensor(
        'b',
        [1, elements],
        Array.from({ length: elements }, (_, index) => index),
      );
      const request = encodePredictRequest('some_model', null, [input]);
      const places: bigint[] = [];
      const method: RpcMethod = (bytes, { message }) => {
        const content = decodePredictRequest(bytes).inputs.get('b')!.content;
        assert.ok(content.kind === 'bytes' && message !== null && message !== undefined);
        assert.equal(content.bytes.buffer, message.buffer);
        assert.ok(Buffer.from(content.bytes).equals(input.bytes));
        places.push(binding.slabAddress(message.slabId, content.bytes.byteOffset));
        return Buffer.alloc(0);
      };
      const contents = new Map([[ECHO, PREDICT_CONTENT]]);
      const use = async ({ port }: ServedIngress): Promise<void> => {
        await withGrpcClient(port, async (client) => {
          for (let round = 0; round < 3; round += 1) assert.equal((await client.call(ECHO, request)).code, 'OK');
        });
      };
      await withIngress(new Map([[ECHO, method]]), use, { contents });
      assert.equal(places.length, 3);
      for (const place of places) assert.equal(place % BigInt(REGION_ALIGNMENT), 0n);
      // The region of the first is what the next are received into.
      assert.equal(new Set(places).size, 1);
    });
  }

  test('are sent from leased memory, which is given back when they are sent', async () => {
    let arena: Arena;
    let released = 0;
    const content = bytesOf(3 * MIB);
    const method: RpcMethod = (): RpcAnswer => {
      const lease = arena.lease(content.byteLength);
      arena.copyIn(lease, content, 'response');
      const place = { before: 3, slabId: lease.slabId, byteOffset: lease.byteOffset, byteLength: content.byteLength };
      return new ScatteredMessage(Buffer.from('abcde'), [place], () => {
        released += 1;
        lease.release();
      });
    };
    await withIngress(new Map([[ECHO, method]]), async (served) => {
      arena = served.arena;
      await withGrpcClient(served.port, async (client) => {
        const answers = await Promise.all(Array.from({ length: 5 }, () => client.call(ECHO, Buffer.alloc(1))));
        const expected = Buffer.concat([Buffer.from('abc'), content, Buffer.from('de')]);
        for (const { bytes } of answers) assert.ok(Buffer.from(bytes).equals(expected));
      });
    });
    assert.equal(released, 5);
  });

  test('for which there is no memory yet wait, and all are answered', async () => {
    let now = 0;
    let most = 0;
    const method: RpcMethod = async (request) => {
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now -= 1;
      return Buffer.from(request.subarray(0, 10));
    };
    const use = async ({ port }: ServedIngress): Promise<void> => {
      const clients = Array.from({ length: 4 }, () => new GrpcClient(port));
      const message = bytesOf(400_000);
      const calls = Array.from({ length: 40 }, (_, index) => clients[index % 4]!.call(ECHO, message));
      for (const { code, details } of await Promise.all(calls)) assert.equal(code, 'OK', details);
      for (const client of clients) client.close();
    };
    await withIngress(new Map([[ECHO, method]]), use, { memoryBytes: MIB, limits: { keptBytes: MIB } });
    assert.ok(most >= 1 && most <= 2, `${most} at once`);
  });
});

describe('calls', () => {
  for (const connections of [1, 64]) {
    test(`256 at once over ${connections} connections are all answered, each with its own message`, async () => {
      await withEcho(async ({ port }) => {
        const clients = Array.from({ length: connections }, () => new GrpcClient(port));
        await Promise.all(
          Array.from({ length: 256 }, (_, index) => assertEchoes(clients[index % connections]!, bytesOf(10 + index))),
        );
        for (const client of clients) client.close();
      });
    });
  }

  test('whose deadline passes are told to their method, and answered as it says', async () => {
    const method: RpcMethod = (_request, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          const reason = signal.reason as ServingError;
          reject(reason);
        });
      });
    await withIngress(new Map([[ECHO, method]]), async ({ port }) => {
      await withSession(port, async (session) => {
        const answer = await plainCall(session, { 'grpc-timeout': '10m' }, [grpcFrame(bytesOf(10))]);
        assert.equal(answer.status, '4');
      });
    });
  });

  test('whose deadline passes before the message is there are answered', async () => {
    await withEcho(async ({ port }) => {
      await withSession(port, async (session) => {
        const stream = session.request({
          ...GRPC_HEADERS,
          [constants.HTTP2_HEADER_PATH]: ECHO,
          'grpc-timeout': '10m',
        });
        stream.on('error', () => undefined);
        stream.write(grpcFrame(bytesOf(1000), 500));
        const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
        assert.equal(headers['grpc-status'], '4');
      });
    });
  });

  for (const leave of ['resets the stream', 'resets the connection'] as const) {
    test(`whose client ${leave} are told to their method`, async () => {
      const reasons: unknown[] = [];
      let begun!: () => void;
      const hasBegun = new Promise<void>((resolve) => (begun = resolve));
      let ended!: () => void;
      const hasEnded = new Promise<void>((resolve) => (ended = resolve));
      const method: RpcMethod = async (_request, { signal }) => {
        begun();
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        reasons.push((signal.reason as ServingError).code);
        ended();
        throw signal.reason;
      };
      await withIngress(new Map([[ECHO, method]]), async ({ port }) => {
        await withSession(port, async (session) => {
          const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
          stream.on('error', () => undefined);
          stream.end(grpcFrame(bytesOf(10)));
          await hasBegun;
          if (leave === 'resets the stream') stream.close(constants.NGHTTP2_CANCEL);
          else session.destroy();
          await hasEnded;
        });
      });
      assert.deepEqual(reasons, ['REQUEST_CANCELLED']);
    });
  }

  test('have metadata both ways, and texts of any characters', async () => {
    const timelines: boolean[] = [];
    const method: RpcMethod = (request, call) => {
      timelines.push(call.wantsTimeline);
      call.setTrailer('vinery-test', 'a value');
      if (request.byteLength === 0) return Buffer.alloc(0);
      throw new ServingError('INVALID_BATCH_SIZE', 'größe 100% {"a":\n1}');
    };
    await withIngress(new Map([[ECHO, method]]), async ({ port }) => {
      await withSession(port, async (session) => {
        const well = await plainCall(session, { 'vinery-timeline': '1', other: 'x' }, [grpcFrame(Buffer.alloc(0))]);
        assert.deepEqual([well.status, well.headers['vinery-test']], ['0', 'a value']);
        const badly = await plainCall(session, {}, [grpcFrame(bytesOf(1))]);
        assert.deepEqual([badly.status, badly.headers['vinery-test']], ['3', 'a value']);
        assert.match(badly.text, /größe 100% \{"a":\n1\}$/);
      });
    });
    assert.deepEqual(timelines, [true, false]);
  });

  test('of a method that fails by a bug end as INTERNAL', async () => {
    const bugs = withIngress(new Map([[ECHO, () => Promise.reject(new Error('bug'))]]), async ({ port }) => {
      await withGrpcClient(port, async (client) => {
        assert.equal((await client.call(ECHO, bytesOf(1))).code, 'INTERNAL');
      });
    });
    // `withIngress` wants no bugs.
    await assert.rejects(bugs, /bug/);
  });

  test('with streams carry messages one by one in both directions', async () => {
    const stream: RpcStream = {
      stream: async function* (requests: AsyncIterable<Uint8Array>) {
        for await (const request of requests) yield Buffer.concat([request, Buffer.from('!')]);
      },
    };
    await withIngress(new Map([[ECHO, stream]]), async ({ port }) => {
      await withSession(port, async (session) => {
        const call = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
        const chunks: Buffer[] = [];
        call.on('data', (chunk: Buffer) => chunks.push(chunk));
        const trailers = once(call, 'trailers') as Promise<[Record<string, unknown>]>;
        for (let index = 0; index < 100; index += 1) call.write(grpcFrame(Buffer.from(`message ${index}`)));
        call.end();
        assert.equal((await trailers)[0]['grpc-status'], '0');
        const expected = Array.from({ length: 100 }, (_, index) => grpcFrame(Buffer.from(`message ${index}!`)));
        assert.ok(Buffer.concat(chunks).equals(Buffer.concat(expected)));
      });
    });
  });
});

describe('requests that come to no method', () => {
  const path = constants.HTTP2_HEADER_PATH;
  const method = constants.HTTP2_HEADER_METHOD;
  const type = constants.HTTP2_HEADER_CONTENT_TYPE;
  const good = grpcFrame(bytesOf(10));
  const tooLarge = Buffer.from('0040000001', 'hex');
  const refused: readonly (readonly [string, Record<string, string>, readonly Uint8Array[], Partial<PlainAnswer>])[] = [
    ['an unknown method', { [path]: '/test.Service/None' }, [good], { http: 200, status: '12', text: '' }],
    ['another method of HTTP', { [method]: 'PUT' }, [good], { http: 405, status: '' }],
    ['another content type', { [type]: 'application/json' }, [good], { http: 415, status: '' }],
    ['a content type that only begins like it', { [type]: 'application/grpc-web' }, [good], { http: 415, status: '' }],
    ['an unknown encoding', { 'grpc-encoding': 'br' }, [good], { status: '12' }],
    ['a timeout that is none', { 'grpc-timeout': '1x' }, [good], { status: '13' }],
    ['no message', {}, [], { status: '13' }],
    ['two messages', {}, [good, good], { status: '13' }],
    ['half a message', {}, [good.subarray(0, 9)], { status: '13' }],
    ['a message of another kind', {}, [Buffer.concat([Buffer.of(7), good.subarray(1)])], { status: '13' }],
    [
      'a compressed message without an encoding',
      {},
      [Buffer.concat([Buffer.of(1), good.subarray(1)])],
      { status: '13' },
    ],
    [
      'a message of more than 1 GiB',
      {},
      [tooLarge],
      {
        status: '8',
        text: 'Received message larger than max - Expected: 1073741824 bytes at most; Actual: 1073741825 bytes',
      },
    ],
    ['headers of more than 16 KiB', { long: 'x'.repeat(20_000) }, [good], { status: '8' }],
  ];
  test('are told why, and the connection goes on', async () => {
    await withEcho(async ({ port }) => {
      await withSession(port, async (session) => {
        for (const [title, headers, body, expected] of refused) {
          const answer = await plainCall(session, headers, body);
          for (const [key, value] of Object.entries(expected))
            assert.equal(answer[key as keyof PlainAnswer], value, `${title}: ${JSON.stringify(answer)}`);
          assert.equal((await plainCall(session, {}, [good])).status, '0', `after ${title}`);
        }
      });
    });
  });
});

describe('clients that misbehave', () => {
  const HELLO = Buffer.concat([PREFACE, frame(FRAME.SETTINGS, 0, 0)]);
  const many = (count: number, each: (index: number) => Buffer): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, index) => each(index)));
  const floods: readonly (readonly [string, () => Buffer])[] = [
    ['pings', () => many(50_000, () => frame(FRAME.PING, 0, 0, Buffer.alloc(8)))],
    ['settings', () => many(50_000, () => frame(FRAME.SETTINGS, 0, 0))],
    ['priorities', () => many(50_000, () => frame(FRAME.PRIORITY, 0, 1, Buffer.from('0000000010', 'hex')))],
    [
      'calls that are reset at once',
      () =>
        many(30_000, (index) =>
          Buffer.concat([callHeaders(index * 2 + 1, ECHO), frame(FRAME.RST_STREAM, 0, index * 2 + 1, Buffer.alloc(4))]),
        ),
    ],
    ['empty data', () => Buffer.concat([callHeaders(1, ECHO), many(50_000, () => frame(FRAME.DATA, 0, 1))])],
    [
      'continuations',
      () =>
        Buffer.concat([
          callHeaders(1, ECHO, 0),
          many(50_000, () => frame(FRAME.CONTINUATION, 0, 1, headerBlock({ a: 'b' }))),
        ]),
    ],
    [
      'headers without end',
      () =>
        Buffer.concat([
          callHeaders(1, ECHO, 0),
          many(6, (index) => frame(FRAME.CONTINUATION, 0, 1, headerBlock({ [`a${index}`]: 'b'.repeat(60_000) }))),
        ]),
    ],
  ];
  for (const [title, bytes] of floods) {
    test(`a flood of ${title} ends the connection, and others are served`, async () => {
      await withEcho(async ({ port }) => {
        await withGrpcClient(port, async (other) => {
          await assertEchoes(other);
          await sendRaw(port, HELLO, bytes());
          await assertEchoes(other);
        });
      });
    });
  }

  test('15 that do not read what they asked for hold bounded memory, and others are served', async () => {
    const answer = Buffer.alloc(MIB, 7);
    let asked = 0;
    const method: RpcMethod = (request) => {
      if (request.byteLength !== 1) return Buffer.from(request);
      asked += 1;
      return answer;
    };
    const ask = Buffer.concat([
      HELLO,
      // Windows as large as they can be, so that only the server's own bounds are left.
      frame(FRAME.SETTINGS, 0, 0, Buffer.from('00047fffffff', 'hex')),
      frame(FRAME.WINDOW_UPDATE, 0, 0, Buffer.from('7fff0000', 'hex')),
      many(200, (index) =>
        Buffer.concat([
          callHeaders(index * 2 + 1, ECHO),
          frame(FRAME.DATA, END_STREAM, index * 2 + 1, grpcFrame(Buffer.alloc(1))),
        ]),
      ),
    ]);
    const use = async ({ port }: ServedIngress): Promise<void> => {
      // From here on it is known how large such answers are.
      await withGrpcClient(port, (client) => client.call(ECHO, Buffer.alloc(1)));
      const readers = await Promise.all(Array.from({ length: 15 }, () => connectRaw(port)));
      for (const { socket } of readers) {
        socket.pause();
        socket.write(ask);
      }
      await withGrpcClient(port, async (client) => {
        for (let round = 0; round < 50; round += 1) await assertEchoes(client, bytesOf(1000 + round));
      });
      for (const { socket } of readers) socket.resetAndDestroy();
    };
    await withIngress(new Map([[ECHO, method]]), use, { limits: { unsentBytes: 4 * MIB } });
    // 4 MiB unsent each, what the system buffers, and no more: not the 200 that each has asked for.
    assert.ok(asked < 15 * 40, `${asked} answers of 1 MiB`);
  });

  test('speaking no HTTP/2 are let go, and the log has it', async () => {
    await withEcho(async ({ port, notices }) => {
      await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
      await withGrpcClient(port, (client) => assertEchoes(client));
      assert.match(notices.join('\n'), /^gRPC connection of 127\.0\.0\.1:\d+ speaks no HTTP\/2$/);
    });
  });

  test('silent ones are let go', async () => {
    const patience = { 'grpc.keepalive_time_ms': 20, 'grpc.keepalive_timeout_ms': 20 };
    await withEcho(
      async ({ port }) => {
        const silent = await connectRaw(port);
        const deaf = await connectRaw(port);
        deaf.socket.write(HELLO);
        await Promise.all([silent.ended, deaf.ended]);
      },
      { channelArguments: patience },
    );
  });

  test('whose header block is broken are let go', async () => {
    await withEcho(async ({ port }) => {
      await sendRaw(port, HELLO, frame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from('ffffffffffff', 'hex')));
    });
  });
});

describe('the end', () => {
  test('pings are answered', async () => {
    await withEcho(async ({ port }) => {
      await withSession(port, async (session) => {
        await once(session, 'connect');
        await new Promise<void>((resolve, reject) => {
          session.ping((error) => (error === null ? resolve() : reject(error)));
        });
      });
    });
  });

  test('calls that were accepted are finished, then connections are closed; new ones are not accepted', async () => {
    const release: (() => void)[] = [];
    let begun!: () => void;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const method: RpcMethod = async (request) => {
      begun();
      await new Promise<void>((resolve) => release.push(resolve));
      return Buffer.from(request);
    };
    await withIngress(new Map([[ECHO, method]]), async ({ port, transport }) => {
      const idle = await connectRaw(port);
      const client = new GrpcClient(port);
      const call = client.call(ECHO, bytesOf(50));
      await hasBegun;
      const closed = transport.close();
      await idle.ended;
      await assert.rejects(connectRaw(port), { code: 'ECONNREFUSED' });
      release[0]!();
      assert.equal((await call).code, 'OK');
      await closed;
      client.close();
    });
  });

  test('streams are ended by the server', async () => {
    const stream: RpcStream = {
      stream: async function* (_requests: AsyncIterable<Uint8Array>, { signal }: RpcCall) {
        yield Buffer.from('first');
        await once(abortSignalOf(signal), 'abort');
      },
    };
    await withIngress(new Map([[ECHO, stream]]), async ({ port, transport }) => {
      await withSession(port, async (session) => {
        const call = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: ECHO });
        call.on('error', () => undefined);
        call.write(grpcFrame(bytesOf(1)));
        await once(call, 'data');
        const trailers = once(call, 'trailers') as Promise<[Record<string, unknown>]>;
        call.resume();
        const closed = transport.close();
        assert.equal((await trailers)[0]['grpc-status'], '14');
        await closed;
      });
    });
  });
});
