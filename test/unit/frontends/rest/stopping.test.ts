import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { Endpoint } from '#src/frontends/rest/endpoint.js';
import { createRestServer } from '#src/frontends/rest/server.js';
import { STOPPING } from '#src/frontends/stopping.js';
import { loadNativeBinding } from '#src/native/load.js';
import { fakeBackend } from './fake-backend.js';

const acceptWaiting = (fd: number): readonly number[] => loadNativeBinding().acceptWaiting(fd);
const CORS = { allowedOrigins: '', allowedMethods: '', allowedHeaders: '', allowCredentials: false };
const MIB = 1024 * 1024;
const ANSWER = 'an answer';

interface Fixture {
  readonly port: number;
  readonly close: () => Promise<void>;
  readonly notices: readonly string[];
  /** Paths of the requests whose answering began. */
  readonly begun: readonly string[];
  /** Lets `/held` be answered. */
  readonly release: () => void;
}

/** Serves `/small`, `/large/<MiB>` and `/held`; whatever the test left open is cut off behind it. */
async function withServer(use: (fixture: Fixture) => Promise<void>, stopping = STOPPING): Promise<void> {
  const notices: string[] = [];
  const begun: string[] = [];
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const endpoint = (
    method: 'GET' | 'POST',
    path: RegExp,
    answer: (size: number) => Promise<Buffer> | Buffer,
  ): Endpoint => ({
    api: 'KServe',
    method,
    path,
    handle: async ({ parameters }) => {
      begun.push(path.source);
      return { status: 200, body: await answer(Number(parameters['size'])) };
    },
  });
  const small = (): Buffer => Buffer.from(ANSWER);
  const rest = createRestServer(fakeBackend(), {
    cors: CORS,
    acceptWaiting,
    stopping,
    onBug: (error) => assert.fail(String(error)),
    onNotice: (text) => notices.push(text),
    endpoints: [
      endpoint('GET', /^\/small$/, small),
      endpoint('POST', /^\/small$/, small),
      endpoint('GET', /^\/large\/(?<size>\d+)$/, (size) => Buffer.alloc(size * MIB, 'x')),
      endpoint('GET', /^\/held$/, () => held.then(small)),
    ],
  });
  rest.server.listen(0, '127.0.0.1');
  await once(rest.server, 'listening');
  try {
    await use({
      port: (rest.server.address() as AddressInfo).port,
      close: () => rest.close(),
      notices,
      begun,
      release,
    });
  } finally {
    const closed = rest.close();
    rest.server.closeAllConnections();
    await closed;
  }
}

/** A client that reads when it is told to. */
class Client {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  /** Resolves with the error of the connection, `null` when it was closed in peace. */
  readonly ended: Promise<string | null>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    let error: string | null = null;
    socket.on('error', (cause: NodeJS.ErrnoException) => (error = cause.code ?? cause.message));
    this.ended = new Promise((resolve) => socket.once('close', () => resolve(error)));
  }

  static async open(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Client(socket);
  }

  send(text: string): void {
    this.socket.write(text);
  }

  get(path: string): void {
    this.send(`GET ${path} HTTP/1.1\r\n\r\n`);
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  /** Resolves when the text has so many answers. */
  async answers(count: number): Promise<void> {
    while (this.text.split(ANSWER).length <= count) {
      if (this.socket.destroyed) throw new Error(`ended after ${this.text}`);
      await turn();
    }
  }
}

const CLOSES = /\r\nConnection: close\r\n/;

describe('while the REST server stops', () => {
  test('a request on a connection that was kept is answered, and told that it was the last one', () =>
    withServer(async ({ port, close }) => {
      const clients = await Promise.all(Array.from({ length: 16 }, () => Client.open(port)));
      for (const client of clients) {
        client.get('/small');
        await client.answers(1);
        assert.doesNotMatch(client.text, CLOSES);
      }
      const closed = close();
      for (const client of clients) {
        await turn();
        client.get('/small');
      }
      for (const client of clients) {
        assert.equal(await client.ended, null);
        assert.equal(client.text.split(ANSWER).length, 3);
        assert.match(client.text, CLOSES);
      }
      await closed;
    }));

  test('the first request of a connection that the system has made is answered', () =>
    withServer(async ({ port, close }) => {
      const client = await Client.open(port);
      const closed = close();
      client.get('/small');
      assert.equal(await client.ended, null);
      assert.match(client.text, CLOSES);
      await closed;
    }));

  test('requests of all clients that the system has connected are answered', () =>
    withServer(async ({ port, close }) => {
      const sockets = Array.from({ length: 40 }, () => connect({ port, host: '127.0.0.1' }));
      const clients = sockets.map((socket) => new Client(socket));
      // The system connects them within a turn; the server accepts one.
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      const closed = close();
      for (const client of clients) client.get('/small');
      for (const client of clients) {
        assert.equal(await client.ended, null);
        assert.equal(client.text.split(ANSWER).length, 2);
      }
      await closed;
    }));

  test('all requests that were sent in one go are answered, and the last one is told so', () =>
    withServer(async ({ port, close, release, begun }) => {
      const client = await Client.open(port);
      for (const path of ['/held', '/small', '/small']) client.get(path);
      while (begun.length < 3) await turn();
      const closed = close();
      await turn();
      release();
      assert.equal(await client.ended, null);
      assert.equal(client.text.split(ANSWER).length, 4);
      await closed;
    }));

  test('a request behind the last answer never begins', () =>
    withServer(async ({ port, close, release, begun }) => {
      const client = await Client.open(port);
      client.get('/held');
      while (begun.length < 1) await turn();
      const closed = close();
      release();
      await client.answers(1);
      assert.match(client.text, CLOSES);
      if (client.socket.writable) client.get('/small');
      assert.equal(await client.ended, null);
      await closed;
      assert.equal(begun.length, 1);
    }));

  for (const mib of [1, 4, 20]) {
    test(`an answer of ${mib} MiB to a slow reader arrives whole`, () =>
      withServer(async ({ port, close, notices, begun }) => {
        const client = await Client.open(port);
        client.socket.pause();
        client.get(`/large/${mib}`);
        while (begun.length < 1) await turn();
        const closed = close();
        while (!client.socket.closed) {
          client.socket.resume();
          await turn();
          client.socket.pause();
          for (let pause = 0; pause < 3; pause += 1) await turn();
          if (client.socket.readableEnded) client.socket.resume();
        }
        assert.equal(await client.ended, null);
        const [, body = ''] = client.text.split('\r\n\r\n');
        assert.equal(body.length, mib * MIB);
        await closed;
        assert.deepEqual(notices, []);
      }));
  }

  test('a client that goes on talking loses nothing of its answer', () =>
    withServer(async ({ port, close, begun }) => {
      const client = await Client.open(port);
      client.socket.pause();
      client.get('/large/4');
      while (begun.length < 1) await turn();
      const closed = close();
      for (let round = 0; round < 20; round += 1) {
        client.get('/small');
        await turn();
      }
      client.socket.resume();
      assert.equal(await client.ended, null);
      assert.ok(client.text.length > 4 * MIB);
      await closed;
    }));

  for (const [title, sent] of [
    ['nothing', ''],
    ['half a head', 'POST /small HT'],
    ['a head without its body', 'POST /small HTTP/1.1\r\nContent-Length: 100\r\n\r\n'],
    ['half a body', 'POST /small HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf'],
    ['half a chunk', 'POST /small HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'],
  ] as const) {
    test(`a client that has sent ${title} does not hold it`, () =>
      withServer(async ({ port, close, begun }) => {
        const client = await Client.open(port);
        if (sent !== '') client.send(sent);
        for (let round = 0; round < 5; round += 1) await turn();
        await close();
        await client.ended;
        assert.deepEqual(begun, []);
      }));
  }

  test('a client that does not read its answer does not hold it, and the log has it', () =>
    withServer(
      async ({ port, close, begun, notices }) => {
        const client = await Client.open(port);
        client.socket.pause();
        client.get('/large/32');
        while (begun.length < 1) await turn();
        await close();
        assert.match(notices.join('\n'), /^127\.0\.0\.1:\d+ has not read its answer for too long$/);
        client.socket.resume();
        await client.ended;
      },
      { ...STOPPING, stalledMs: 100 },
    ));

  test('a body that comes slowly, and comes to its end, is answered', () =>
    withServer(async ({ port, close }) => {
      const client = await Client.open(port);
      client.send('POST /small HTTP/1.1\r\nContent-Length: 200\r\n\r\n');
      let closed: Promise<void> | null = null;
      for (let sent = 0; sent < 200; sent += 1) {
        client.send('x');
        if (sent === 10) closed = close();
        await turn();
      }
      assert.equal(await client.ended, null);
      assert.match(client.text, /^HTTP\/1\.1 200 /);
      await closed;
    }));
});

test('a client that is refused in the middle of its body is told why', () =>
  withServer(async ({ port }) => {
    const client = await Client.open(port);
    client.send(`POST /small HTTP/1.1\r\nContent-Length: ${2 ** 31}\r\n\r\n`);
    for (let round = 0; round < 50; round += 1) {
      if (client.socket.writable) client.send('x'.repeat(64 * 1024));
      await turn();
    }
    assert.equal(await client.ended, null);
    assert.match(client.text, /^HTTP\/1\.1 413 /);
  }));
