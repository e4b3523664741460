import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, constants, type Settings } from 'node:http2';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { covers } from '../contract/covers.js';
import {
  addDummy,
  assertAnswers,
  assertServes,
  DUMMY_BODY,
  DUMMY_INPUT,
  pipelineOf,
} from '../helpers/dummy-servables.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { GRPC_HEADERS, grpcFrame, http2Call } from '../helpers/http2-call.js';
import { connectRaw, sendRaw, sendRawAndHalfClose, sendRawAndReset } from '../helpers/raw-socket.js';
import { TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';

/** Node 20 notices only by a ping that it has ended a connection with a broken frame. */
const QUICK_PINGS = ['--grpc_channel_arguments', 'grpc.keepalive_time_ms=100,grpc.keepalive_timeout_ms=100'];

let server: ServerProcess;

before(async () => {
  const repository = new TestRepository();
  const config = repository.writeConfig([addDummy(repository)], [pipelineOf('dummy_pipeline', 'dummy')]);
  server = await startServerProcess(['--config_path', config, ...QUICK_PINGS]);
  await server.line('ServableManagerModule started');
});

after(async () => assert.equal(await server.stop(), 0));

/** Bytes that look like nothing, the same in every run. */
function noise(length: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  });
}

const MIB = 1024 ** 2;
const TLS_HELLO = Buffer.from('16030100c8010000c40303', 'hex');
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HTTP2_SETTINGS = Buffer.from('000000040000000000', 'hex');
/** Length 16 MB, an unknown type, no stream. */
const HTTP2_BAD_FRAME = Buffer.from('ffffffff00ffffffff', 'hex');
const BODY = JSON.stringify(DUMMY_BODY);
const HEAD = `POST /v1/models/dummy:predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${BODY.length}\r\n`;
/** Allows compressed messages; each says for itself whether it is one. */
const GZIP = { 'grpc-encoding': 'gzip' };
const PREDICT = encodePredictRequest('dummy', null, [DUMMY_INPUT]);

describe('REST port', () => {
  const garbage: readonly (readonly [string, string | Uint8Array])[] = [
    ['noise', noise(4096)],
    ['a TLS hello', TLS_HELLO],
    ['an HTTP/2 preface', HTTP2_PREFACE],
    ['zeros', new Uint8Array(100_000)],
    ['a request line without end', `GET /${'a'.repeat(100_000)}`],
    ['a body length that is no number', 'POST /v1/models/dummy:predict HTTP/1.1\r\nContent-Length: many\r\n\r\n'],
  ];
  for (const [title, bytes] of garbage) {
    test(`${title}: the connection ends, and others are served`, async () => {
      const { text, reset } = await sendRaw(server.restPort, bytes);
      if (!reset) assert.match(text, /^HTTP\/1\.1 400 .*\{"error":"Request message could not be parsed/s);
      await assertServes(server);
    });
  }

  test('a body that is announced too large is refused with 413, and the connection ends', async () => {
    covers('tfs-rest.body-limit');
    const head = 'POST /v1/models/dummy:predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1073741825\r\n\r\n';
    assert.match((await sendRaw(server.restPort, head)).text, /^HTTP\/1\.1 413 /);
    await assertServes(server);
  });

  test('a client that closes its side after a whole request is let go, and others are served', async () => {
    await sendRawAndHalfClose(server.restPort, `${HEAD}\r\n${BODY}`);
    await assertServes(server);
  });

  const halves: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['half of the headers', HEAD],
    ['half of the body', `${HEAD}\r\n${BODY.slice(0, 10)}`],
  ];
  for (const [title, bytes] of halves) {
    test(`a client that closes its side after ${title} is let go, and others are served`, async () => {
      const { text } = await sendRawAndHalfClose(server.restPort, bytes);
      assert.doesNotMatch(text, /^HTTP\/1\.1 200 /);
      await assertServes(server);
    });

    test(`a client that resets the connection after ${title} disturbs nobody`, async () => {
      await sendRawAndReset(server.restPort, bytes);
      await assertServes(server);
    });
  }

  test('a client that resets the connection after a whole request disturbs nobody', async () => {
    await sendRawAndReset(server.restPort, `${HEAD}\r\n${BODY}`);
    await assertServes(server);
  });
});

describe('gRPC port', () => {
  const garbage: readonly (readonly [string, readonly (string | Uint8Array)[]])[] = [
    ['noise', [noise(4096)]],
    ['a TLS hello', [TLS_HELLO]],
    ['an HTTP/1.1 request', [`${HEAD}\r\n${BODY}`]],
    ['noise behind a good preface', [HTTP2_PREFACE, HTTP2_SETTINGS, noise(4096)]],
    ['a frame of an impossible size', [HTTP2_PREFACE, HTTP2_SETTINGS, HTTP2_BAD_FRAME]],
  ];
  for (const [title, parts] of garbage) {
    test(`${title}: the connection ends, and others are served`, async () => {
      await sendRaw(server.grpcPort, ...parts);
      await assertServes(server);
    });
  }

  const halves: readonly (readonly [string, readonly (string | Uint8Array)[]])[] = [
    ['nothing', []],
    ['half of the preface', [HTTP2_PREFACE.slice(0, 10)]],
    ['the preface', [HTTP2_PREFACE, HTTP2_SETTINGS]],
  ];
  for (const [title, parts] of halves) {
    test(`a client that closes its side after ${title} is let go, and others are served`, async () => {
      await sendRawAndHalfClose(server.grpcPort, ...parts);
      await assertServes(server);
    });

    test(`a client that resets the connection after ${title} disturbs nobody`, async () => {
      await sendRawAndReset(server.grpcPort, ...parts);
      await assertServes(server);
    });
  }

  test('a client may send a whole picture before any of it is taken', async () => {
    const session = connect(`http://127.0.0.1:${server.grpcPort}`);
    try {
      await new Promise<void>((resolve, reject) => {
        session.once('error', reject);
        session.on('remoteSettings', ({ initialWindowSize = 0 }: Settings) => {
          if (initialWindowSize >= MIB) resolve();
        });
      });
      // What a server says of the connection itself comes right behind its settings.
      await new Promise<void>((resolve, reject) => {
        session.ping((error) => (error === null ? resolve() : reject(error)));
      });
      assert.ok((session.state.remoteWindowSize ?? 0) >= MIB, `${session.state.remoteWindowSize} bytes`);
    } finally {
      session.destroy();
    }
  });

  test('a client that resets the connection in the middle of a message disturbs nobody', async () => {
    const { socket, ended } = await connectRaw(server.grpcPort);
    const session = connect(`http://127.0.0.1:${server.grpcPort}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    const stream = session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: METHOD.PREDICT });
    stream.on('error', () => undefined);
    await new Promise<void>((resolve) => void stream.write(grpcFrame(PREDICT, 30), () => resolve()));
    socket.resetAndDestroy();
    await ended;
    await assertServes(server);
  });

  const messages: readonly (readonly [string, Uint8Array])[] = [
    ['a message shorter than its length says', grpcFrame(PREDICT, 30)],
    ['a message that claims to be gzip and is not', Buffer.concat([Buffer.of(1), grpcFrame(PREDICT).subarray(1)])],
    ['no message at all', new Uint8Array(0)],
    ['half of a message header', grpcFrame(PREDICT).subarray(0, 3)],
  ];
  for (const [title, bytes] of messages) {
    test(`${title} is answered with an error, and the connection goes on`, async () => {
      await withGrpcClient(server.grpcPort, async (client) => {
        const status = await http2Call(server.grpcPort, METHOD.PREDICT, bytes, GZIP);
        assert.notEqual(status, '0');
        await assertAnswers(client);
      });
    });
  }
});
