import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as httpRequest } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { ServingError } from '#src/errors.js';
import type { Endpoint } from '#src/frontends/rest/endpoint.js';
import { decodePredictBody } from '#src/frontends/rest/predict-json.js';
import { reloadEndpoint } from '#src/frontends/rest/config-endpoints.js';
import type { ReloadOutcome } from '#src/servables/reload-outcome.js';
import { createRestServer, type RestServer, type RestServerOptions } from '#src/frontends/rest/server.js';
import { loadNativeBinding } from '#src/native/load.js';
import { DECODE_OFF_LOOP_BYTES, type DecodeOffLoop } from '#src/frontends/rest/tfs-endpoints.js';
import { covers } from '../../../contract/covers.js';
import { type FakeBackend, fakeBackend } from './fake-backend.js';

interface Fixture {
  readonly backend: FakeBackend;
  readonly rest: RestServer;
  readonly port: number;
  readonly bugs: unknown[];
}

const acceptWaiting = (fd: number): readonly number[] => loadNativeBinding().acceptWaiting(fd);
const CORS = { allowedOrigins: '*', allowedMethods: 'GET,POST', allowedHeaders: 'X-A', allowCredentials: true };
const PREDICT = '/v1/models/echo:predict';
const BODY = '{"instances":[1,2.5]}';
const ANSWER = '{\n    "predictions": [1.0, 2.5\n    ]\n}';

/** Owns the server: whatever the test left open is cut off behind it. */
async function withServer(
  options: Partial<RestServerOptions>,
  use: (fixture: Fixture) => Promise<void> | void,
): Promise<void> {
  const backend = fakeBackend();
  const bugs: unknown[] = [];
  const rest = createRestServer(backend, { cors: CORS, acceptWaiting, onBug: (error) => bugs.push(error), ...options });
  rest.server.listen(0, '127.0.0.1');
  await once(rest.server, 'listening');
  try {
    await use({ backend, rest, port: (rest.server.address() as AddressInfo).port, bugs });
  } finally {
    const closed = rest.close();
    rest.server.closeAllConnections();
    await closed;
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly agent?: Agent;
}

function ask(port: number, path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent } = question;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.end(body);
  });
}

function post(port: number, body: string | Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return ask(port, PREDICT, { method: 'POST', body, headers });
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** All bytes the server sends until it closes the connection. */
async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

/** Bytes the server sends until they contain `text`. */
function readUntil(socket: Socket, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const take = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      if (!received.includes(text)) return;
      socket.off('data', take);
      resolve(received);
    };
    socket.on('data', take);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed after: ${received}`)));
  });
}

/** A promise the test settles. */
function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

function rawPost(headers: string, body = BODY): string {
  return `POST ${PREDICT} HTTP/1.1\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

test('predict answers in the order of the request and gives the outputs back once', () =>
  withServer({}, async ({ backend, port }) => {
    const answer = await post(port, BODY);
    assert.equal(answer.status, 200);
    assert.equal(answer.body, ANSWER);
    assert.deepEqual([backend.encoded, backend.released, backend.refusals], [1, 1, []]);
    const [{ request, call } = assert.fail('no call')] = backend.calls;
    assert.deepEqual([request.servable, request.version], ['echo', null]);
    assert.deepEqual([call.api, call.interface, call.wantsTimeline], ['TensorFlowServing', 'REST', false]);
    assert.equal((await post(port, '{"inputs":{"b":[3]}}')).body, '{\n    "outputs": [\n        3.0\n    ]\n}');
  }));

test('predict passes the version of the URL on and ignores labels', () =>
  withServer({}, async ({ backend, port }) => {
    covers('tfs-rest.predict');
    await ask(port, '/v1/models/echo/versions/7:predict', { method: 'POST', body: BODY });
    await ask(port, '/v1/models/echo/labels/stable:predict', { method: 'POST', body: BODY });
    assert.deepEqual(
      backend.calls.map(({ request }) => request.version),
      [7n, null],
    );
  }));

test('every answer has content type, length and CORS headers and neither Date nor Server', () =>
  withServer({}, async ({ port }) => {
    covers('cli.cors');
    covers('tfs-rest.content-type', 'tfs-rest.headers', 'tfs-rest.cors');
    covers('cli.cors', 'tfs-rest.content-type', 'tfs-rest.headers', 'tfs-rest.cors');
    for (const [method, path] of [
      ['POST', PREDICT],
      ['GET', '/nowhere'],
      ['OPTIONS', '/anything'],
      ['PUT', '/'],
    ] as const) {
      const { headers } = await ask(port, path, { method, body: BODY });
      assert.equal(headers['content-type'], 'application/json', path);
      assert.ok(headers['content-length'] !== undefined, path);
      assert.equal(headers['access-control-allow-origin'], '*', path);
      assert.equal(headers['access-control-allow-methods'], 'GET,POST', path);
      assert.equal(headers['access-control-allow-headers'], 'X-A', path);
      assert.equal(headers['access-control-allow-credentials'], 'true', path);
      assert.deepEqual([headers.date, headers.server], [undefined, undefined], path);
    }
  }));

test('empty CORS settings send no headers', () =>
  withServer(
    { cors: { allowedOrigins: '', allowedMethods: '', allowedHeaders: '', allowCredentials: false } },
    async ({ port }) => {
      covers('cli.cors');
      const { headers } = await ask(port, '/v1/config');
      assert.deepEqual(
        Object.keys(headers).filter((name) => name.startsWith('access-control')),
        [],
      );
    },
  ));

test('OPTIONS on any path answers 200', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.cors');
    for (const path of ['*', '/', '/v1/models/../x', PREDICT]) {
      const { status, body } = await ask(port, path, { method: 'OPTIONS' });
      assert.deepEqual([status, body], [200, ''], path);
    }
  }));

test('status, metadata and config answer their texts', () =>
  withServer({}, async ({ port }) => {
    assert.match((await ask(port, '/v1/models/echo')).body, /^\{\n "model_version_status": \[/);
    assert.match((await ask(port, '/v1/models/echo/metadata')).body, /^\{\n "modelSpec": \{\n {2}"name": "echo"/);
    assert.match((await ask(port, '/v1/config')).body, /^\{\n"echo" : \n\{\n "model_version_status": \[/);
  }));

function reloadBy(reload: () => Promise<ReloadOutcome>): Endpoint {
  return reloadEndpoint(fakeBackend(), (error) => assert.fail(String(error)), reload);
}

const RELOADS: readonly (readonly [string, () => Promise<ReloadOutcome>, number, RegExp])[] = [
  ['something changed', () => Promise.resolve({ kind: 'done', reloaded: true }), 201, /^\{\n"echo" : \n/],
  ['nothing changed', () => Promise.resolve({ kind: 'done', reloaded: false }), 200, /^\{\n"echo" : \n/],
  [
    'a base path is missing',
    () => Promise.resolve({ kind: 'failed', code: 'CONFIG_RELOAD_FAILED', cause: 'PATH_INVALID' }),
    400,
    /^\{\n\t"error": "Reloading config file failed. Check server logs for more info."\n\}$/,
  ],
  [
    'a version does not load',
    () => Promise.resolve({ kind: 'failed', code: 'VERSIONS_RELOAD_FAILED', cause: 'FILE_INVALID' }),
    500,
    /^\{\n\t"error": "Reloading models versions failed. Check server logs for more info."\n\}$/,
  ],
  [
    'the server stops',
    () => Promise.reject(new ServingError('SERVER_STOPPING')),
    503,
    /^\{\n\t"error": "Server is stopping"\n\}$/,
  ],
];
for (const [title, reload, expected, body] of RELOADS) {
  test(`a reload after which ${title} answers ${expected}`, () =>
    withServer({ endpoints: [reloadBy(reload)] }, async ({ port }) => {
      const answer = await ask(port, '/v1/config/reload', { method: 'POST' });
      assert.equal(answer.status, expected);
      assert.match(answer.body, body);
    }));
}

test('a reload takes no other method', () =>
  withServer({ endpoints: [reloadBy(RELOADS[0]![1])] }, async ({ port }) => {
    assert.equal((await ask(port, '/v1/config/reload')).status, 406);
  }));

const REFUSED: readonly (readonly [string, string, string, number, string])[] = [
  [
    'unknown model over predict, even with bad JSON',
    'POST',
    '/v1/models/no:predict',
    404,
    'Model with requested name is not found',
  ],
  ['unknown model over status', 'GET', '/v1/models/no', 404, 'Model with requested name is not found'],
  ['unknown model over metadata', 'GET', '/v1/models/no/metadata', 404, 'Model with requested name is not found'],
  ['no model name', 'GET', '/v1/models', 404, 'Model with requested name is not found'],
  [
    'version beyond int64',
    'GET',
    '/v1/models/echo/versions/9223372036854775808',
    404,
    'Model with requested version is not found',
  ],
  ['classify', 'POST', '/v1/models/echo:classify', 404, 'Requested REST resource not found'],
  ['regress', 'POST', '/v1/models/echo/versions/1:regress', 404, 'Requested REST resource not found'],
  ['unknown path', 'GET', '/v9', 400, 'Invalid request URL'],
  ['climbing path', 'GET', '/v1/models/..%2fx', 400, "The provided base path is invalid or doesn't exists"],
  ['wrong method', 'GET', PREDICT, 406, 'Unsupported method'],
  ['other method', 'DELETE', '/v1/config', 406, 'Unsupported method'],
  ['bad JSON', 'POST', PREDICT, 412, 'The file is not valid json - Error: Invalid value. Offset: 0'],
];

for (const [what, method, path, status, text] of REFUSED) {
  test(`${what} is answered with ${status}: ${text}`, () =>
    withServer({}, async ({ port, bugs }) => {
      const answer = await ask(port, path, { method, ...(method === 'POST' ? { body: 'bad' } : {}) });
      assert.equal(answer.status, status);
      assert.equal(answer.body, JSON.stringify({ error: text }));
      assert.deepEqual(bugs, []);
    }));
}

test('HEAD is answered with 406 and no body', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.wrong-method');
    const answer = await ask(port, '/v1/config', { method: 'HEAD' });
    assert.deepEqual([answer.status, answer.body], [406, '']);
  }));

test('a refused request leaves the connection to the next one', () =>
  withServer({}, async ({ port }) => {
    const socket = await open(port);
    const body = 'x'.repeat(300_000);
    socket.write(
      `POST /nowhere HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}${rawPost('Connection: close\r\n')}`,
    );
    const text = await readToEnd(socket);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.ok(text.endsWith(ANSWER), text);
  }));

test('errors of the servable keep code and text', () =>
  withServer({}, async ({ backend, port, bugs }) => {
    backend.answer = () => {
      throw new ServingError('INVALID_SHAPE', 'Expected: (1,10); Actual: (1,11); input name: b');
    };
    const answer = await post(port, BODY);
    assert.equal(answer.status, 400);
    assert.equal(answer.body, '{"error":"Invalid input shape - Expected: (1,10); Actual: (1,11); input name: b"}');
    assert.deepEqual(bugs, []);
  }));

test('a bug is logged and answered as an internal error', () =>
  withServer({}, async ({ backend, port, bugs }) => {
    const bug = new TypeError('nobody expected this');
    backend.answer = () => {
      throw bug;
    };
    const answer = await post(port, BODY);
    assert.deepEqual([answer.status, answer.body], [500, '{"error":"Internal server error"}']);
    assert.deepEqual(bugs, [bug]);
  }));

test('a bug behind config is logged and answered in the words of the config endpoints', () =>
  withServer({}, async ({ backend, port, bugs }) => {
    backend.allStatuses = () => {
      throw new Error('gone');
    };
    const { status, body } = await ask(port, '/v1/config');
    const text = 'Retrieving all model statuses failed. Check server logs for more info.';
    assert.deepEqual([status, body, bugs.length], [500, `{\n\t"error": "${text}"\n}`, 1]);
  }));

test('outputs are given back when they cannot be encoded', () =>
  withServer({}, async ({ backend, port }) => {
    const predict = backend.predict.bind(backend);
    backend.predict = async (request, call) => ({ ...(await predict(request, call)), outputs: [], declaredOutputs: 0 });
    assert.equal((await post(port, BODY)).status, 500);
    assert.deepEqual([backend.encoded, backend.released], [0, 1]);
  }));

test('a body that cannot be decoded is told as refused to the servable that was found', () =>
  withServer({}, async ({ backend, port }) => {
    assert.equal((await post(port, '{')).status, 412);
    assert.equal((await ask(port, '/v1/models/other:predict', { method: 'POST', body: '{' })).status, 404);
    assert.deepEqual([backend.refusals, backend.calls.length], [['echo'], 0]);
  }));

test('the time line comes in a header of ASCII JSON when it is asked for', () =>
  withServer({}, async ({ backend, port }) => {
    const node = {
      node: 'é',
      session: '',
      readyMicros: 1,
      startMicros: 2,
      endMicros: 3,
      queueMicros: 1,
      inferMicros: 1,
      copiedBytes: 0,
    };
    backend.timeline = { totalMicros: 4, nodes: [node] };
    const { headers } = await post(port, BODY, { 'vinery-timeline': '1' });
    assert.deepEqual(JSON.parse(String(headers['vinery-timeline'])), { totalMicros: 4, nodes: [node] });
    assert.match(String(headers['vinery-timeline']), /^[\x20-\x7e]+$/);
    assert.equal((await post(port, BODY)).headers['vinery-timeline'], undefined);
    assert.deepEqual(
      backend.calls.map(({ call }) => call.wantsTimeline),
      [true, false],
    );
  }));

for (const [coding, encode] of [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
] as const) {
  test(`a body with Content-Encoding ${coding} (${encode.name}) is inflated`, () =>
    withServer({}, async ({ port }) => {
      covers('tfs-rest.compression');
      assert.equal((await post(port, encode(BODY), { 'Content-Encoding': coding })).body, ANSWER);
    }));
}

test('a body that does not inflate, or of an unknown coding, is no valid JSON', () =>
  withServer({}, async ({ port, bugs }) => {
    for (const coding of ['gzip', 'deflate', 'br']) {
      const answer = await post(port, BODY, { 'Content-Encoding': coding });
      assert.equal(answer.status, 412, coding);
      assert.match(answer.body, /^\{"error":"The file is not valid json - Error: /);
    }
    assert.deepEqual(bugs, []);
  }));

test('a body announced beyond the limit is refused with 413, no body and a closed connection', () =>
  withServer({ bodyLimit: 100 }, async ({ port }) => {
    covers('tfs-rest.body-limit');
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n`);
    const [head, body] = (await readToEnd(socket)).split('\r\n\r\n');
    assert.match(head ?? '', /^HTTP\/1\.1 413 /);
    assert.match(head ?? '', /\r\nConnection: close/);
    assert.equal(body, '');
  }));

test('the default limit is 1 GiB', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.body-limit');
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nContent-Length: ${1024 ** 3 + 1}\r\n\r\n`);
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 413 /);
  }));

test('a chunked body beyond the limit is refused with 413', () =>
  withServer({ bodyLimit: 10 }, async ({ port }) => {
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n`);
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 413 /);
  }));

test('the limit applies to the inflated size', () =>
  withServer({ bodyLimit: 1000 }, async ({ port }) => {
    const bomb = gzipSync(`{"instances":[1]${' '.repeat(100_000)}}`);
    assert.ok(bomb.length < 1000);
    assert.equal((await post(port, bomb, { 'Content-Encoding': 'gzip' })).status, 413);
  }));

test('chunked bodies are read whole', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.chunked');
    assert.equal((await post(port, BODY, { 'Transfer-Encoding': 'chunked' })).body, ANSWER);
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`);
    for (const character of BODY) socket.write(`1\r\n${character}\r\n`);
    socket.write('0\r\n\r\n');
    assert.ok((await readToEnd(socket)).endsWith(ANSWER));
  }));

test('a client that sends byte by byte is served', () =>
  withServer({}, async ({ port }) => {
    const socket = await open(port);
    socket.setNoDelay(true);
    for (const character of rawPost('Connection: close\r\n')) {
      await new Promise<void>((resolve, reject) =>
        socket.write(character, (error) => (error ? reject(error) : resolve())),
      );
    }
    assert.ok((await readToEnd(socket)).endsWith(ANSWER));
  }));

test('no time limit is set on connections', () =>
  withServer({}, ({ rest: { server } }) => {
    covers('tfs-rest.http');
    const limits = [server.timeout, server.keepAliveTimeout, server.requestTimeout, server.headersTimeout];
    assert.deepEqual(limits, [0, 0, 0, 0]);
  }));

test('HTTP/1.0 is answered and the connection closed, or kept when asked', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.http');
    const closing = await open(port);
    closing.write('GET /v1/models/echo HTTP/1.0\r\n\r\n');
    assert.match(await readToEnd(closing), /^HTTP\/1\.1 200 /);
    const keeping = await open(port);
    keeping.write('GET /v1/config HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.match(await readUntil(keeping, '\n}\n}'), /\r\nConnection: keep-alive\r\n/i);
    keeping.write('GET /v1/config HTTP/1.0\r\n\r\n');
    assert.match(await readToEnd(keeping), /^HTTP\/1\.1 200 /);
  }));

test('Expect: 100-continue is answered before the body is sent', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.expect');
    const socket = await open(port);
    const head = `POST ${PREDICT} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: ${BODY.length}\r\n`;
    socket.write(`${head}Connection: close\r\n\r\n`);
    assert.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 100 /);
    socket.write(BODY);
    assert.ok((await readToEnd(socket)).endsWith(ANSWER));
  }));

test('Expect: 100-continue with a body beyond the limit is answered with 413 alone', () =>
  withServer({ bodyLimit: 10 }, async ({ port }) => {
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n`);
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 413 /);
  }));

test('unknown expectations are ignored', () =>
  withServer({}, async ({ port }) => {
    assert.equal((await post(port, BODY, { Expect: 'the-spanish-inquisition' })).body, ANSWER);
  }));

test('an offer to upgrade is ignored, and the connection serves the next request', () =>
  withServer({}, async ({ port }) => {
    covers('tfs-rest.upgrade');
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    const socket = await open(port);
    socket.write(rawPost(offer));
    assert.match(await readUntil(socket, ANSWER), /^HTTP\/1\.1 200 /);
    socket.write(`GET /v1/config HTTP/1.1\r\n${offer}\r\n`);
    assert.match(await readUntil(socket, '\n}\n}'), /^HTTP\/1\.1 200 /);
    socket.write(rawPost('Connection: close\r\n'));
    assert.ok((await readToEnd(socket)).endsWith(ANSWER));
  }));

test('requests sent in one go are answered in order', () =>
  withServer({}, async ({ port }) => {
    const socket = await open(port);
    socket.write(rawPost('') + 'GET /nowhere HTTP/1.1\r\n\r\n' + rawPost('Connection: close\r\n'));
    const statuses = [...(await readToEnd(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    assert.deepEqual(statuses, ['200', '400', '200']);
  }));

test('garbage is answered with 400 and its connection closed, while others go on', () =>
  withServer({}, async ({ port }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    assert.equal((await ask(port, '/v1/config', { agent })).status, 200);
    for (const garbage of ['\x16\x03\x01\x02\x00\x01\x00', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'hello\r\n\r\n']) {
      const socket = await open(port);
      socket.write(garbage, 'latin1');
      const text = await readToEnd(socket);
      assert.match(text, /^HTTP\/1\.1 400 /);
      assert.match(text, /\r\nContent-Type: application\/json\r\nAccess-Control-Allow-Origin: \*\r\n/);
      assert.match(text, /\r\n\r\n\{"error":"Request message could not be parsed - /);
    }
    assert.equal((await ask(port, '/v1/config', { agent })).status, 200);
    agent.destroy();
  }));

test('a broken chunk is answered with 400', () =>
  withServer({}, async ({ port, bugs }) => {
    const socket = await open(port);
    socket.write(`POST ${PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 400 /);
    assert.deepEqual(bugs, []);
  }));

test('what was asked before garbage is answered before the connection closes', () =>
  withServer({}, async ({ backend, port, rest }) => {
    const { promise, resolve } = gate();
    const started = new Promise<void>((begin) => {
      backend.answer = () => (begin(), promise);
    });
    const socket = await open(port);
    const refused = once(rest.server, 'clientError');
    socket.write(`${rawPost('')}garbage\r\n\r\n`);
    await Promise.all([refused, started]);
    resolve();
    assert.ok((await readToEnd(socket)).endsWith(ANSWER));
  }));

test('CONNECT is answered with 406', () =>
  withServer({}, async ({ port }) => {
    const socket = await open(port);
    socket.write('CONNECT host:443 HTTP/1.1\r\nHost: host\r\n\r\n');
    assert.match(await readToEnd(socket), /^HTTP\/1\.1 406 /);
  }));

test('a client that leaves aborts its request with REQUEST_CANCELLED', () =>
  withServer({}, async ({ backend, port, bugs }) => {
    const aborted = new Promise<unknown>((resolve) => {
      backend.answer = (_request, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            const reason = signal.reason as ServingError;
            resolve(reason);
            reject(reason);
          });
          socket.destroy();
        });
    });
    const socket = await open(port);
    socket.write(rawPost(''));
    const reason = await aborted;
    assert.ok(reason instanceof ServingError);
    assert.equal(reason.code, 'REQUEST_CANCELLED');
    assert.deepEqual(bugs, []);
  }));

test('a client that leaves in the middle of its body reaches no servable and is no bug', () =>
  withServer({}, async ({ backend, port, rest, bugs }) => {
    const socket = await open(port);
    const [, accepted] = await Promise.all([
      new Promise<void>((resolve) =>
        socket.write(`POST ${PREDICT} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{`, () => resolve()),
      ),
      once(rest.server, 'request'),
    ]);
    const [, response] = accepted as [unknown, NodeJS.EventEmitter];
    socket.destroy();
    await once(response, 'close');
    assert.deepEqual([backend.calls.length, bugs], [0, []]);
  }));

test('close lets the running request finish and ends idle connections, used before or not', () =>
  withServer({}, async ({ backend, port, rest }) => {
    const { promise, resolve } = gate();
    const idle = await open(port);
    idle.write('GET /v1/config HTTP/1.1\r\n\r\n');
    await readUntil(idle, '\n}\n}');
    const unused = await open(port);
    const started = new Promise<void>((begin) => {
      backend.answer = () => (begin(), promise);
    });
    const running = await open(port);
    running.write(rawPost(''));
    await started;
    const closed = rest.close();
    assert.equal(await readToEnd(idle), '');
    assert.equal(await readToEnd(unused), '');
    resolve();
    const text = await readToEnd(running);
    assert.match(text, /\r\nConnection: close\r\n/);
    assert.ok(text.endsWith(ANSWER));
    await closed;
    await assert.rejects(open(port), /ECONNREFUSED/);
  }));

test('close of a server that never listened resolves', async () => {
  const rest = createRestServer(fakeBackend(), {
    cors: CORS,
    acceptWaiting,
    onBug: (error) => assert.fail(String(error)),
  });
  await rest.close();
});

test('bodies beyond the threshold, and only those, are decoded by the hook', async () => {
  const sizes: number[] = [];
  const decodeOffLoop: DecodeOffLoop = (body, inputs) => {
    sizes.push(body.byteLength);
    return Promise.resolve(decodePredictBody(body, inputs));
  };
  await withServer({ decodeOffLoop }, async ({ port }) => {
    const bodyOf = (size: number): string => BODY.padEnd(size, ' ');
    assert.equal((await post(port, bodyOf(DECODE_OFF_LOOP_BYTES))).body, ANSWER);
    assert.deepEqual(sizes, []);
    assert.equal((await post(port, bodyOf(DECODE_OFF_LOOP_BYTES + 1))).body, ANSWER);
    assert.deepEqual(sizes, [DECODE_OFF_LOOP_BYTES + 1]);
  });
});

test('other APIs on the same port bring their own endpoints', async () => {
  const endpoints: readonly Endpoint[] = [
    {
      api: 'KServe',
      method: 'POST',
      path: /^\/v2\/models\/(?<name>[^/]+)\/infer$/,
      handle: ({ parameters, body, call, headers }) => ({
        status: 200,
        body: Buffer.from(
          `${parameters['name']} ${call.api} ${String(headers['x-size'])} ${Buffer.from(body).toString()}`,
        ),
        contentType: 'text/plain',
        headers: { 'x-more': 'yes' },
      }),
    },
  ];
  await withServer({ endpoints }, async ({ port }) => {
    const answer = await ask(port, '/v2/models/a%20b/infer', {
      method: 'POST',
      body: 'xyz',
      headers: { 'X-Size': '3' },
    });
    assert.deepEqual([answer.status, answer.body], [200, 'a b KServe 3 xyz']);
    assert.deepEqual([answer.headers['content-type'], answer.headers['x-more']], ['text/plain', 'yes']);
    assert.equal((await ask(port, '/v2/models/a/infer')).status, 406);
  });
});
