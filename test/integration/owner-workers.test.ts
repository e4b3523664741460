import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import { describe, test } from 'node:test';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { addDummy, addHeavy, DUMMY_INPUT, HEAVY_INPUT, pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { GRPC_HEADERS, grpcFrame } from '../helpers/http2-call.js';
import { LogFile } from '../helpers/log-file.js';
import { TestRepository } from '../helpers/repository.js';

const repository = new TestRepository();
const config = repository.writeConfig(
  [addDummy(repository), addHeavy(repository)],
  [pipelineOf('heavy_pipeline', 'heavy')],
);
const DUMMY = encodePredictRequest('dummy', null, [DUMMY_INPUT]);
const HEAVY = encodePredictRequest('heavy_pipeline', null, [HEAVY_INPUT]);
const SERVED = /^\[[^\]]*\]\[(\d+)\].*Processing gRPC request for model: dummy/gm;

/** A connection of its own, which does not connect anew. */
class Connection {
  readonly closed: Promise<unknown>;
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on('error', () => undefined);
    this.closed = new Promise((resolve) => this.#session.once('close', resolve));
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** @returns gRPC's status, or `undefined` when the connection was lost. */
  async predict(request: Uint8Array): Promise<unknown> {
    const stream = this.#session.request({ ...GRPC_HEADERS, [constants.HTTP2_HEADER_PATH]: METHOD.PREDICT });
    let status: unknown;
    stream.on('trailers', (trailers: Record<string, unknown>) => (status = trailers['grpc-status']));
    stream.on('error', () => undefined);
    stream.resume();
    stream.end(grpcFrame(request));
    await once(stream, 'close');
    return status;
  }

  destroy(): void {
    this.#session.destroy();
  }
}

function serve(name: string, workers: number): readonly [LogFile, ReturnType<typeof embeddedSettings>] {
  const log = new LogFile(repository.path(name));
  const flags = ['--log_level', 'DEBUG', '--log_path', log.path, '--grpc_transport', 'native'];
  // The flag refuses more workers than the machine has cores.
  return [log, { ...embeddedSettings(config, ...flags), grpcWorkers: workers }];
}

/** The threads that served the calls of the dummy so far, in the order of the calls. */
async function servedBy(log: LogFile, calls: number): Promise<string[]> {
  await log.has('Processing gRPC request for model: dummy', calls);
  return [...readFileSync(log.path, 'utf8').matchAll(SERVED)].map(([, thread = '']) => thread);
}

function countEach(threads: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const thread of threads) counts.set(thread, (counts.get(thread) ?? 0) + 1);
  return [...counts.values()].sort();
}

describe('native transport, several owner workers', () => {
  for (const [workers, connections, expected] of [
    [2, 8, [4, 4]],
    [2, 9, [4, 5]],
    [4, 16, [4, 4, 4, 4]],
    [4, 18, [4, 4, 5, 5]],
  ] as const) {
    test(`${connections} connections are spread over ${workers} as evenly as can be`, async () => {
      const [log, settings] = serve(`spread-${workers}-${connections}.log`, workers);
      await withEmbeddedServer(settings, async ({ grpcPort }) => {
        const opened = Array.from({ length: connections }, () => new Connection(grpcPort));
        assert.deepEqual(
          new Set(await Promise.all(opened.map((connection) => connection.predict(DUMMY)))),
          new Set(['0']),
        );
        assert.deepEqual(countEach(await servedBy(log, connections)), expected);
        for (const connection of opened) connection.destroy();
      });
    });
  }

  test('one ends: its own connections end, those of the other see nothing of it, the replacement gets the next', async () => {
    const [log, settings] = serve('loss.log', 2);
    await withEmbeddedServer(settings, async ({ server, grpcPort }) => {
      const opened = Array.from({ length: 8 }, () => new Connection(grpcPort));
      await Promise.all(opened.map((connection) => connection.predict(DUMMY)));
      const before = new Set(await servedBy(log, 8));
      const running = opened.map((connection) => connection.predict(HEAVY));
      await log.has('Processing gRPC request for model: heavy_pipeline', running.length);
      let lost = 0;
      const halfAreLost = new Promise<void>((resolve) => {
        for (const { closed } of opened) void closed.then(() => (lost += 1) === 4 && resolve());
      });
      await server.ownerThreads[0]!.terminate();
      await halfAreLost;
      const statuses = await Promise.all(running);
      const kept = opened.filter(({ isClosed }) => !isClosed);
      assert.equal(kept.length, 4);
      for (const [index, connection] of opened.entries()) {
        if (kept.includes(connection)) assert.equal(statuses[index], '0');
      }
      assert.deepEqual(await Promise.all(kept.map((connection) => connection.predict(DUMMY))), ['0', '0', '0', '0']);
      let calls = 12;
      const isNew = (thread: string): boolean => !before.has(thread);
      // Once the replacement accepts, it has the fewest.
      while (!(await servedBy(log, calls)).some(isNew)) {
        const next = new Connection(grpcPort);
        opened.push(next);
        assert.equal(await next.predict(DUMMY), '0');
        calls += 1;
      }
      assert.equal(server.ownerThreads.length, 2);
      for (const connection of opened) connection.destroy();
    });
  });
});
