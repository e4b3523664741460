import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { describe, test } from 'node:test';
import { freePorts } from '#src/demo/free-port.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { addDummy, DUMMY_BODY, DUMMY_INPUT, ONES, restAnswer } from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { TestRepository } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { isInstalled, PROXIES, withProxy } from './proxies.js';

const CLIENTS = 16;
/** Calls that must have been answered by each protocol before a server stops, and again after it. */
const CALLS = 400;
const BODY = JSON.stringify(DUMMY_BODY);

/** How calls ended, by what they said, under load until `use` has ended. */
class Load {
  readonly endings = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  async run(calls: readonly (() => Promise<string>)[], use: () => Promise<void>): Promise<void> {
    const loops = calls.map(async (call) => {
      while (!this.#isOver) {
        const ending = await call();
        this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1);
        for (const check of this.#waiting) check();
      }
    });
    try {
      await use();
    } finally {
      this.#isOver = true;
      await Promise.all(loops);
    }
  }

  /** Resolves when each of these endings was seen so many times more often than now. */
  more(endings: readonly string[], count: number): Promise<void> {
    const goals = endings.map((ending) => [ending, (this.endings.get(ending) ?? 0) + count] as const);
    return new Promise((resolve) => {
      const check = (): void => {
        if (goals.some(([ending, goal]) => (this.endings.get(ending) ?? 0) < goal)) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }
}

const GRPC_OK = 'gRPC OK';
const REST_OK = `REST 200 ${restAnswer(ONES)}`;

function grpcCall(client: GrpcClient): () => Promise<string> {
  const message = encodePredictRequest('dummy', null, [DUMMY_INPUT]);
  return async () => {
    const { code, details } = await client.call(METHOD.PREDICT, message);
    return `gRPC ${code} ${details}`.trim();
  };
}

function restCall(agent: Agent, port: number): () => Promise<string> {
  const options = { host: '127.0.0.1', port, path: '/v1/models/dummy:predict', method: 'POST', agent };
  return () =>
    new Promise((resolve) => {
      const sent = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => (text += piece));
        response.on('end', () => resolve(`REST ${response.statusCode ?? 0} ${text}`));
        response.on('error', (error) => resolve(`REST ${error.message}`));
      });
      sent.on('error', (error) => resolve(`REST ${error.message}`));
      sent.end(BODY);
    });
}

for (const proxy of PROXIES) {
  const skip = isInstalled(proxy) ? false : `${proxy.name} is not installed`;
  describe(`behind ${proxy.name}`, { skip }, () => {
    for (const transport of ['native'] as const) {
      test(`no call is lost when one of two servers stops under load (${transport})`, async () => {
        const repository = new TestRepository();
        const config = repository.writeConfig([addDummy(repository)], []);
        const flags = ['--config_path', config, '--grpc_transport', transport];
        const servers: ServerProcess[] = [];
        const agent = new Agent({ keepAlive: true });
        const clients: GrpcClient[] = [];
        try {
          for (let index = 0; index < 2; index += 1) servers.push(await startServerProcess(flags));
          await Promise.all(servers.map((server) => server.line('ServableManagerModule started')));
          const [grpcPort, restPort] = (await freePorts(2)) as [number, number];
          const routes = { grpcPort, restPort, servers };
          await withProxy(proxy, routes, repository.path(`${proxy.program}-${transport}`), async () => {
            const load = new Load();
            for (let index = 0; index < CLIENTS; index += 1) clients.push(new GrpcClient(grpcPort));
            const calls = clients.flatMap((client) => [grpcCall(client), restCall(agent, restPort)]);
            await load.run(calls, async () => {
              await load.more([GRPC_OK, REST_OK], CALLS);
              assert.equal(await servers[0]!.stop(), 0);
              await load.more([GRPC_OK, REST_OK], CALLS);
            });
            const others = [...load.endings].filter(([ending]) => ending !== GRPC_OK && ending !== REST_OK);
            assert.deepEqual(others, []);
          });
        } finally {
          agent.destroy();
          for (const client of clients) client.close();
          await Promise.all(servers.map((server) => server.stop()));
        }
      });
    }
  });
}
