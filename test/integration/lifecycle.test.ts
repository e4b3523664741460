import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import { HEALTH_CHECK } from '#src/frontends/grpc/health.js';
import { METHOD as KSERVE } from '#src/frontends/kserve/method.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { decodeStatusResponse, encodeStatusRequest } from '#src/frontends/tfs/status-message.js';
import { Server } from '#src/control/server.js';
import { compileCustomNode } from '../fixtures/custom-node-library.js';
import { Gate } from '../fixtures/gate.js';
import {
  addDummy,
  addHeavy,
  assertServes,
  DUMMY_BODY,
  DUMMY_INPUT,
  HEAVY_BODY,
  HEAVY_INPUT,
  ONES,
  pipelineOf,
  restAnswer,
} from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer } from '../helpers/embedded-server.js';
import { GrpcClient, withGrpcClient, type PredictOutcome } from '../helpers/grpc-client.js';
import { LogFile } from '../helpers/log-file.js';
import { decodeKserve } from '../helpers/kserve-messages.js';
import { grpcFrame } from '../helpers/http2-call.js';
import { callHeaders, frame, FRAME } from '../helpers/http2-frames.js';
import { RawHttp2 } from '../helpers/raw-http2.js';
import { connectRaw } from '../helpers/raw-socket.js';
import { node, pipeline, TestRepository } from '../helpers/repository.js';
import { errorOf, restCall, restPredict, type RestOutcome } from '../helpers/rest-client.js';
import { startServerProcess, withServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatsOf } from '../helpers/tensors.js';

const repository = new TestRepository();
const config = repository.writeConfig(
  [addDummy(repository), addHeavy(repository)],
  [pipelineOf('dummy_pipeline', 'dummy'), pipelineOf('heavy_pipeline', 'heavy')],
);

/** A model whose load stands still until its mapping file, a named pipe, is written. */
class GatedModel {
  readonly #gate: string;
  readonly config: string;

  constructor(readonly name: string) {
    const model = addDummy(repository, name);
    this.#gate = repository.path(name, '1', 'mapping_config.json');
    execFileSync('mkfifo', [this.#gate]);
    this.config = repository.writeConfig(
      [addDummy(repository), model],
      [pipelineOf('gated_pipeline', name)],
      `${name}.json`,
    );
  }

  /** Resolves when the server has the file open. */
  open(): Promise<void> {
    return writeFile(this.#gate, '{}');
  }
}

describe('start', () => {
  test('the ports answer before the models are loaded; a request to a loading model waits for it', async () => {
    covers('cli.ports-first');
    covers(
      'life-cycle.ports-first',
      'life-cycle.wait-for-model',
      'life-cycle.wait-for-default',
      'life-cycle.server-ready',
    );
    const model = new GatedModel('slow');
    const server = await startServerProcess(['--config_path', model.config, '--log_level', 'DEBUG']);
    try {
      await server.line(`Loaded model dummy; version: 1`);
      await withGrpcClient(server.grpcPort, async (client) => {
        assert.deepEqual(await statusOf(client, 'slow'), ['LOADING', 'OK']);
        assert.deepEqual(await statusOf(client, 'gated_pipeline'), ['LOADING', 'OK']);
        assert.deepEqual(await readiness(server), NOT_READY);
        const overGrpc = client.predict('slow', [DUMMY_INPUT]);
        const overRest = restPredict(server.restPort, 'slow', DUMMY_BODY);
        await server.line('Processing gRPC request for model: slow');
        await assertServes(server, 'dummy');
        await model.open();
        const { code, details, outputs } = await overGrpc;
        assert.equal(code, 'OK', details);
        assert.deepEqual(floatsOf(outputs.get('a')), ONES);
        const { status, text } = await overRest;
        assert.deepEqual([status, text], [200, restAnswer(ONES)]);
        await server.line('ServableManagerModule started');
        assert.deepEqual(await statusOf(client, 'slow'), ['AVAILABLE', 'OK']);
        assert.deepEqual(await statusOf(client, 'gated_pipeline'), ['AVAILABLE', 'OK']);
        assert.deepEqual(await readiness(server), READY);
      });
      await assertServes(server, 'gated_pipeline');
    } finally {
      assert.equal(await server.stop(), 0);
    }
  });

  describe('a model that does not come up in time', () => {
    const model = new GatedModel('closed');
    let server: ServerProcess;
    let late: Promise<readonly PredictOutcome[]>;
    let lateOverRest: Promise<RestOutcome>;

    // The questions that wait the longest are asked first.
    before(async () => {
      server = await startServerProcess(['--config_path', model.config]);
      await server.line('Version 1 of model closed status change. New status: ( "state": "LOADING"');
      await server.line('Loaded model dummy');
      late = withGrpcClient(server.grpcPort, (client) =>
        Promise.all([null, 1n].map((version) => client.predict('closed', [DUMMY_INPUT], version))),
      );
      lateOverRest = restPredict(server.restPort, 'closed', DUMMY_BODY);
    });

    after(async () => {
      await model.open();
      assert.equal(await server.stop(), 0);
    });

    test('metadata is refused without waiting', async () => {
      covers('life-cycle.metadata-waits-not', 'tfs-grpc.metadata-waits');
      const { status } = await restCall(server.restPort, 'GET', '/v1/models/closed/metadata');
      assert.equal(status, 404);
    });

    test('a request to its pipeline waits half a second', async () => {
      covers('pipelines.wait');
      await withGrpcClient(server.grpcPort, async (client) => {
        const { code, details } = await client.predict('gated_pipeline', [DUMMY_INPUT]);
        assert.deepEqual([code, details], ['UNAVAILABLE', 'Pipeline is not loaded yet']);
      });
    });

    test('a request to it is refused in the end, whether or not it names the version', async () => {
      covers('life-cycle.wait-for-model');
      const text = 'Model with requested version is not loaded yet';
      for (const { code, details } of await late) assert.deepEqual([code, details], ['UNAVAILABLE', text]);
      const overRest = await lateOverRest;
      assert.deepEqual([overRest.status, errorOf(overRest)], [404, text]);
    });
  });

  for (const [title, models] of [
    ['of models without a version', [{ name: 'nothing' }]],
    ['of models that fail', [{ name: 'absent' }]],
    ['of nothing at all', []],
  ] as const) {
    test(`the server is ready behind a first load pass ${title}, and stays so`, async () => {
      covers('life-cycle.server-ready');
      mkdirSync(repository.path('nothing'), { recursive: true });
      const path = repository.writeConfig(models, [], 'ready.json');
      await withEmbeddedServer(embeddedSettings(path, '--log_path', repository.path('log')), async (server) => {
        assert.deepEqual(await readiness(server), READY);
        repository.writeConfig([addDummy(repository)], [], 'ready.json');
        await server.server.poll();
        assert.deepEqual(await readiness(server), READY);
      });
    });
  }

  test('the log lines that scripts wait for come in the order of the reference', async () => {
    covers('cli.log-start', 'cli.log-model', 'cli.log-pipeline', 'config.order');
    await withServerProcess(['--config_path', config], async (server) => {
      await server.line('Started model manager thread');
      const texts = [
        'OpenVINO backend 20',
        `Binding gRPC server to address: 127.0.0.1:${server.grpcPort}`,
        `Started gRPC server on port ${server.grpcPort}`,
        `Started REST server at 127.0.0.1:${server.restPort}`,
        'Loading model: dummy, version: 1, from path: ',
        'Input name: b; mapping_name: b; shape: (1,10); precision: FP32; layout: N...',
        'Output name: a; mapping_name: a; shape: (1,10); precision: FP32; layout: N...',
        'Loaded model dummy; version: 1; batch size: 1; No of InferRequests: ',
        'Version 1 of model dummy status change. New status: ( "state": "AVAILABLE", "error_code": "OK" )',
        'Pipeline: dummy_pipeline state changed to: AVAILABLE after handling: ValidationPassedEvent',
        'ServableManagerModule started',
        'Started model manager thread',
      ];
      const places = texts.map((text) => server.lines.findIndex((line) => line.includes(text)));
      assert.ok(!places.includes(-1), `${places.join()} of\n${server.lines.join('\n')}`);
      assert.deepEqual(
        places,
        [...places].sort((left, right) => left - right),
      );
    });
  });
});

const READY = { kserve: true, rest: 200, health: 1 };
const NOT_READY = { kserve: false, rest: 503, health: 2 };

/** What each API says of the server as a whole. */
async function readiness({ grpcPort, restPort }: Pick<ServerProcess, 'grpcPort' | 'restPort'>): Promise<typeof READY> {
  return withGrpcClient(grpcPort, async (client) => {
    const kserve = await client.call(KSERVE.SERVER_READY, new Uint8Array(0));
    const health = await client.call(HEALTH_CHECK, new Uint8Array(0));
    return {
      kserve: decodeKserve('ServerReadyResponse', kserve.bytes)['ready'] === true,
      rest: (await restCall(restPort, 'GET', '/v2/health/ready')).status,
      health: health.bytes.at(-1)!,
    };
  });
}

/** The status of a request over a connection that was used before. */
function restOverKept(agent: Agent, port: number): Promise<number> {
  const options = { host: '127.0.0.1', port, path: '/v1/models/dummy:predict', method: 'POST', agent };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(DUMMY_BODY));
  });
}

async function statusOf(client: GrpcClient, name: string): Promise<readonly string[]> {
  const { bytes } = await client.call(METHOD.GET_MODEL_STATUS, encodeStatusRequest({ name, version: null }));
  return decodeStatusResponse(bytes).flatMap(({ state, errorMessage }) => [state, errorMessage]);
}

describe('stop', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} while requests are in flight: all are answered, then the process ends with 0`, async () => {
      covers('cli.signals', 'cli.exit-0', 'cli.signal-deadline');
      covers('life-cycle.stop');
      const server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
      await server.line('ServableManagerModule started');
      await withGrpcClient(server.grpcPort, async (client) => {
        const calls = ['heavy', 'heavy_pipeline', 'heavy'].map((name) =>
          client.call(METHOD.PREDICT, encodePredictRequest(name, null, [HEAVY_INPUT])),
        );
        const requests = ['heavy', 'heavy_pipeline', 'heavy'].map((name) =>
          restPredict(server.restPort, name, HEAVY_BODY),
        );
        await server.linesWith('Processing gRPC request for model: heavy', 3);
        await server.linesWith('Processing REST request for model: heavy', 3);
        server.process.kill(signal);
        for (const { code, details } of await Promise.all(calls)) assert.equal(code, 'OK', details);
        for (const { status, text } of await Promise.all(requests)) assert.equal(status, 200, text);
        assert.equal(await server.exited, 0);
      });
      await server.line(`Received ${signal}; stopping`);
      await server.line('Server stopped');
    });
  }

  test('after SIGTERM nothing new is accepted', async () => {
    covers('life-cycle.stop');
    const server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
    await server.line('ServableManagerModule started');
    await withGrpcClient(server.grpcPort, async (client) => {
      const call = client.call(METHOD.PREDICT, encodePredictRequest('heavy', null, [HEAVY_INPUT]));
      await server.line('Processing gRPC request for model: heavy');
      assert.equal(await server.stop(), 0);
      assert.equal((await call).code, 'OK');
    });
    await assert.rejects(connectRaw(server.grpcPort), { code: 'ECONNREFUSED' });
    await assert.rejects(connectRaw(server.restPort), { code: 'ECONNREFUSED' });
  });

  test('idle connections do not hold the process', async () => {
    const server = await startServerProcess(['--config_path', config]);
    await server.line('ServableManagerModule started');
    const idle = await Promise.all([connectRaw(server.grpcPort), connectRaw(server.restPort)]);
    await withGrpcClient(server.grpcPort, async (client) => {
      assert.deepEqual(await statusOf(client, 'dummy'), ['AVAILABLE', 'OK']);
      assert.equal(await server.stop(), 0);
    });
    await Promise.all(idle.map(({ ended }) => ended));
  });

  for (const transport of ['native', 'js'] as const) {
    test(`clients that leave their requests unfinished do not hold the process (${transport})`, async () => {
      covers('life-cycle.stop');
      const server = await startServerProcess(['--config_path', config, '--grpc_transport', transport]);
      await server.line('ServableManagerModule started');
      const silent = await Promise.all([connectRaw(server.grpcPort), connectRaw(server.restPort)]);
      const calls = await Promise.all([RawHttp2.open(server.grpcPort), RawHttp2.open(server.grpcPort)]);
      calls[0].send(callHeaders(1, METHOD.PREDICT));
      const half = frame(FRAME.DATA, 0, 1, grpcFrame(encodePredictRequest('dummy', null, [DUMMY_INPUT]), 20));
      calls[1].send(callHeaders(1, METHOD.PREDICT), half);
      const posted = await connectRaw(server.restPort);
      posted.socket.write('POST /v1/models/dummy:predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{');
      await assertServes(server, 'dummy');
      assert.equal(await server.stop(), 0);
      await Promise.all([...silent, ...calls, posted].map(({ ended }) => ended));
    });

    test(`calls that come until the client has heard of the end are answered (${transport})`, async () => {
      covers('life-cycle.stop');
      const server = await startServerProcess(['--config_path', config, '--grpc_transport', transport]);
      await server.line('ServableManagerModule started');
      const client = new GrpcClient(server.grpcPort);
      const agent = new Agent({ keepAlive: true });
      const rest = (): Promise<number> => restOverKept(agent, server.restPort);
      assert.equal((await client.predict('dummy', [DUMMY_INPUT])).code, 'OK');
      assert.equal(await rest(), 200);
      server.process.kill('SIGTERM');
      // They leave before this process can have heard of it.
      const answers = Promise.all([client.predict('dummy', [DUMMY_INPUT]), rest()]);
      const [{ code, details }, status] = await answers;
      assert.deepEqual([code, details, status], ['OK', '', 200]);
      assert.equal(await server.exited, 0);
      client.close();
      agent.destroy();
    });
  }

  test('a signal during the first load pass ends the process with 0; who waits for the model is answered', async () => {
    covers('life-cycle.stop-while-loading');
    const model = new GatedModel('interrupted');
    const server = await startServerProcess(['--config_path', model.config, '--log_level', 'DEBUG']);
    await server.line('Loaded model dummy; version: 1');
    await server.line('Version 1 of model interrupted status change. New status: ( "state": "LOADING"');
    await withGrpcClient(server.grpcPort, async (client) => {
      const call = client.predict('interrupted', [DUMMY_INPUT]);
      await server.line('Processing gRPC request for model: interrupted');
      server.process.kill('SIGTERM');
      await server.line('Received SIGTERM; stopping');
      await model.open();
      const { code, details } = await call;
      assert.equal(code, 'OK', details);
    });
    assert.equal(await server.exited, 0);
  });

  test('a signal during a reload refuses who waits for it and ends the process with 0', async () => {
    const model = new GatedModel('reloaded');
    const served = repository.writeConfig([addDummy(repository)], [], 'reloading.json');
    const server = await startServerProcess(['--config_path', served, '--file_system_poll_wait_seconds', '0']);
    await server.line('ServableManagerModule started');
    copyFileSync(model.config, served);
    const reload = restCall(server.restPort, 'POST', '/v1/config/reload');
    await server.line('Version 1 of model reloaded status change');
    server.process.kill('SIGTERM');
    const { status, text } = await reload;
    assert.deepEqual([status, text], [503, '{\n\t"error": "Server is stopping"\n}']);
    await model.open();
    assert.equal(await server.exited, 0);
    assert.equal(server.lines.filter((line) => line.includes('[error]')).length, 0);
  });

  // Between two signals that follow each other closely the process has no handler and dies of the second one.
  test('a second signal does not wait for the requests in flight, and the process ends with 1', async () => {
    covers('cli.signal-deadline');
    covers('life-cycle.second-signal');
    const server = await startServerProcess(['--config_path', config, '--log_level', 'DEBUG']);
    await server.line('ServableManagerModule started');
    await withGrpcClient(server.grpcPort, async (client) => {
      const request = encodePredictRequest('heavy', null, [HEAVY_INPUT]);
      const calls = Array.from({ length: 20 }, () => client.call(METHOD.PREDICT, request));
      await server.linesWith('Processing gRPC request for model: heavy', calls.length);
      server.process.kill('SIGTERM');
      await server.line('Received SIGTERM; stopping');
      server.process.kill('SIGTERM');
      assert.equal(await server.exited, 1);
      // The client says UNAVAILABLE or INTERNAL, as the end of the connection met it.
      const lost = (await Promise.all(calls)).filter(({ code }) => code !== 'OK');
      assert.ok(lost.length > 0);
    });
  });
});

describe('a signal while a custom node does not end', () => {
  /** A server with two calls, one on each port, that stand in a node of a shared library until the gate lets them go. */
  async function withCallsInGate(
    use: (server: ServerProcess, gate: Gate, ends: Promise<readonly [string, number]>) => Promise<void>,
  ): Promise<void> {
    const gate = new Gate(repository.directory, `gate-${(gates += 1)}`);
    const library = compileCustomNode(repository.directory, 'gated.c');
    const params = { gate: gate.path, ledger: repository.path('ledger') };
    const gated = node('gated', { in: 'request.x' }, ['out'], { type: 'custom', library_name: 'gated', params });
    const pipelines = [pipeline('gated', ['x'], [gated], { y: 'gated.out' })];
    const path = repository.writeConfig([], pipelines, 'gated.json', { gated: library });
    writeFileSync(params.ledger, '');
    const server = await startServerProcess(['--config_path', path, '--log_level', 'DEBUG']);
    await server.line('ServableManagerModule started');
    await withGrpcClient(server.grpcPort, async (client) => {
      const call = client.predict('gated', [{ name: 'x', precision: 'U8', shape: [1], bytes: Uint8Array.of(7) }]);
      const request = restPredict(server.restPort, 'gated', { inputs: { x: [7] } }).then(
        ({ status }) => status,
        () => 0,
      );
      await new LogFile(params.ledger).has('[begin]', 2);
      server.process.kill('SIGTERM');
      await server.line('Received SIGTERM; stopping');
      const ends = Promise.all([call.then(({ code }) => code), request] as const);
      await use(server, gate, ends);
    });
  }
  let gates = 0;

  test('the server accepts nothing more and waits for it: the calls are answered whole, and the process ends with 0', () =>
    withCallsInGate(async (server, gate, ends) => {
      covers('life-cycle.stop');
      const refused = async (port: number): Promise<void> => {
        const socket = await connectRaw(port).catch(() => null);
        if (socket !== null) await socket.ended;
      };
      await Promise.all([refused(server.grpcPort), refused(server.restPort)]);
      gate.letGo(2);
      assert.deepEqual(await ends, ['OK', 200]);
      assert.equal(await server.exited, 0);
    }));

  test('a second one ends the process with 1 all the same', () =>
    withCallsInGate(async (server, gate, ends) => {
      covers('life-cycle.second-signal');
      server.process.kill('SIGTERM');
      assert.equal(await server.exited, 1);
      const [code, status] = await ends;
      assert.notEqual(code, 'OK');
      assert.equal(status, 0);
      gate.letGo(0);
    }));
});

describe('a server inside another program', () => {
  test('starts and stops twice in one process', async () => {
    for (let round = 0; round < 2; round += 1) {
      await withEmbeddedServer(embeddedSettings(config), async (server) => {
        await assertServes(server, 'dummy');
        await assertServes(server, 'dummy_pipeline');
      });
    }
  });

  test('two of them run side by side', async () => {
    await withEmbeddedServer(embeddedSettings(config), async (first) => {
      await withEmbeddedServer(embeddedSettings(config), (second) => assertServes(second));
      await assertServes(first);
    });
  });

  test('stop may be called while it loads, and more than once', async () => {
    const server = await Server.start(embeddedSettings(config));
    const loaded = server.loaded.catch(() => undefined);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    await loaded;
  });
});
