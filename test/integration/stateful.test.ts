import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseCommandLine } from '#src/config/command-line.js';
import { machine } from '#src/config/machine.js';
import { Server } from '#src/control/server.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { covers } from '../contract/covers.js';
import type { RowId } from '../contract/rows/index.js';
import { writeAccumulatorModel, writeLoopModel } from '../fixtures/ir.js';
import { pipelineOf } from '../helpers/dummy-servables.js';
import { embeddedSettings, withEmbeddedServer, type EmbeddedServer } from '../helpers/embedded-server.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { LogFile } from '../helpers/log-file.js';
import { TestRepository, type Model } from '../helpers/repository.js';
import { restCall, restPredict } from '../helpers/rest-client.js';
import {
  askTfs,
  controlTensor,
  END,
  idTensor,
  type Answer,
  PROTOCOLS,
  START,
  type Step,
  stepTensors,
  TFS_GRPC,
} from '../helpers/sequences.js';
import { bytesOf, floatTensor } from '../helpers/tensors.js';

const repository = new TestRepository();
writeAccumulatorModel(repository.path('accumulator', '1'), { shape: [1, 2] });
writeLoopModel(repository.path('loop', '1'));
const WIDTH = 256;
writeAccumulatorModel(repository.path('slow', '1'), { shape: [1, WIDTH], depth: 200 });
const SLOW_INPUT = floatTensor('b', [1, WIDTH], Array<number>(WIDTH).fill(0));

function statefulModel(name: string, more: Partial<Model> = {}): Model {
  return { name, base_path: 'accumulator', stateful: true, ...more };
}

const MODELS: readonly Model[] = [
  statefulModel('accumulator'),
  statefulModel('one', { nireq: 1 }),
  statefulModel('four', { nireq: 4 }),
  statefulModel('small', { max_sequence_number: 1 }),
  statefulModel('kept', { idle_sequence_cleanup: false }),
  statefulModel('slow', { base_path: 'slow', nireq: 1 }),
  statefulModel('loop', { base_path: 'loop', low_latency_transformation: true }),
  statefulModel('automatic', { batch_size: 'auto' }),
];

const log = new LogFile(repository.path('server.log'));
let server: Server;
let ports: { readonly grpcPort: number; readonly restPort: number };
let nextId = 1000n;
const newId = (): bigint => (nextId += 1n);

before(async () => {
  const config = repository.writeConfig(MODELS, [pipelineOf('pipe', 'accumulator')]);
  // Two owner workers: the connections of a sequence end at either.
  const flags = ['--grpc_workers', '2', '--log_level', 'DEBUG', '--log_path', log.path];
  server = await Server.start(embeddedSettings(config, '--file_system_poll_wait_seconds', '0', ...flags));
  await server.loaded;
  ports = { grpcPort: server.grpcPort!, restPort: server.restPort! };
});

after(() => server.stop());

const ask = (servable: string, step: Step): Promise<Answer> => TFS_GRPC.ask(ports, servable, step);

async function withClient<T>(use: (client: GrpcClient) => Promise<T>): Promise<T> {
  const client = new GrpcClient(ports.grpcPort);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

const MISSING = 'NOT_FOUND Sequence with provided ID does not exist';

interface Refusal {
  readonly title: string;
  readonly covers: RowId;
  readonly servable?: string;
  readonly step: Step;
  readonly code: string;
  readonly http: number;
  readonly text: string;
}

/** Sequence 77 of `accumulator` and sequence 1 of `small`, which has room for one, have begun. */
const REFUSALS: readonly Refusal[] = [
  {
    title: 'no id',
    covers: 'stateful.error.not_provided',
    step: {},
    code: 'INVALID_ARGUMENT',
    http: 400,
    text: 'Sequence ID has not been provided in request inputs',
  },
  {
    title: 'id 0 to end with',
    covers: 'stateful.error.not_provided',
    step: { id: 0n, control: END },
    code: 'INVALID_ARGUMENT',
    http: 400,
    text: 'Sequence ID has not been provided in request inputs',
  },
  {
    title: 'control 3',
    covers: 'stateful.error.control',
    step: { id: 77n, control: 3 },
    code: 'INVALID_ARGUMENT',
    http: 400,
    text: 'Unexpected value of sequence control input',
  },
  {
    title: 'an id that no sequence has',
    covers: 'stateful.error.missing',
    step: { id: 78n },
    code: 'NOT_FOUND',
    http: 404,
    text: 'Sequence with provided ID does not exist',
  },
  {
    title: 'the end of no sequence',
    covers: 'stateful.error.missing',
    step: { id: 78n, control: END },
    code: 'NOT_FOUND',
    http: 404,
    text: 'Sequence with provided ID does not exist',
  },
  {
    title: 'the begin of one that has begun',
    covers: 'stateful.error.exists',
    step: { id: 77n, control: START },
    code: 'ALREADY_EXISTS',
    http: 409,
    text: 'Sequence with provided ID already exists',
  },
  {
    title: 'one sequence more than the limit',
    covers: 'stateful.error.limit',
    servable: 'small',
    step: { id: 2n, control: START },
    code: 'UNAVAILABLE',
    http: 503,
    text: 'Max sequence number has been reached. Could not create new sequence.',
  },
];

describe('refused by every protocol', () => {
  before(async () => {
    assert.deepEqual(await ask('accumulator', { id: 77n, control: START, value: 1 }), { sum: 1, id: 77n });
    assert.deepEqual(await ask('small', { id: 1n, control: START, value: 1 }), { sum: 1, id: 1n });
  });

  for (const { title, servable = 'accumulator', step, code, http, text } of REFUSALS) {
    test(title, async () => {
      for (const protocol of PROTOCOLS) {
        const expected = `${protocol.isRest ? http : code} ${text}`;
        assert.equal(await protocol.ask(ports, servable, step), expected, protocol.name);
      }
    });
  }

  test('and the limit counts the sequences that are there', async () => {
    covers('stateful.max_sequence_number');
    assert.deepEqual(await ask('small', { id: 1n, control: END }), { sum: 1, id: 1n });
    assert.deepEqual(await ask('small', { id: 2n, control: START }), { sum: 0, id: 2n });
  });
});

test('each protocol can go on with the sequence of another, and the state is that of the sequence', async () => {
  covers(
    'stateful.state',
    'stateful.sequence_id',
    'stateful.sequence_control_input',
    'stateful.kserve',
    'stateful.rest',
  );
  covers('stateful.response', 'stateful.flag');
  const ids = [newId(), 2n ** 64n - 1n];
  for (const [index, id] of ids.entries()) {
    const first = await PROTOCOLS[index]!.ask(ports, 'accumulator', { id, control: START, value: index + 1 });
    assert.deepEqual(first, { sum: index + 1, id });
  }
  for (const id of ids) {
    const begun = id === ids[0] ? 1 : 2;
    let sum = begun;
    for (const [index, protocol] of PROTOCOLS.entries()) {
      sum += 10 ** index;
      const step = { id, value: 10 ** index, ...(index % 2 === 0 ? {} : { control: 0 }) };
      assert.deepEqual(await protocol.ask(ports, 'accumulator', step), { sum, id }, protocol.name);
    }
    assert.deepEqual(await ask('accumulator', { id, control: END, value: 0.5 }), { sum: sum + 0.5, id });
    assert.equal(await ask('accumulator', { id }), MISSING);
  }
});

test('the server makes ids, each its own, for sequences that begin without one', async () => {
  covers('stateful.made_id');
  const made: bigint[] = [];
  for (const protocol of PROTOCOLS) {
    for (const id of [undefined, 0n]) {
      const answer = await protocol.ask(ports, 'accumulator', {
        control: START,
        value: 1,
        ...(id === 0n ? { id } : {}),
      });
      if (typeof answer === 'string') assert.fail(answer);
      made.push(answer.id);
    }
  }
  assert.equal(new Set([0n, ...made]).size, 9);
  for (const id of made) assert.deepEqual(await ask('accumulator', { id, control: END, value: 1 }), { sum: 2, id });
});

test('inputs of a wrong shape, type or number of values are told apart', async () => {
  covers('stateful.error.field', 'stateful.error.shape', 'stateful.count', 'stateful.tensor_content');
  const input = floatTensor('b', [1, 2], [0, 0]);
  const id = newId();
  const raw = [
    idTensor(id, { valueField: new Uint8Array(0), bytes: bytesOf(BigInt64Array.of(id)) }),
    controlTensor(1, { valueField: new Uint8Array(0), bytes: bytesOf(Int32Array.of(1)) }),
  ];
  const noId = 'INVALID_ARGUMENT Could not find sequence id in expected tensor proto field uint64_val';
  const noControl = 'INVALID_ARGUMENT Could not find sequence control input in expected tensor proto field uint32_val';
  const noShape = 'INVALID_ARGUMENT Special input proto does not contain tensor shape information';
  const two = { valueField: Uint8Array.of(0x8a, 1, 2, 1, 1) };
  await withClient(async (client) => {
    const asking = (...inputs: Parameters<typeof askTfs>[2]): Promise<Answer> => askTfs(client, 'accumulator', inputs);
    assert.deepEqual(await asking(input, ...raw), { sum: 0, id });
    assert.equal(await asking(input, idTensor(id, { precision: 'I64' })), noId);
    assert.equal(await asking(input, idTensor(id, two)), noId);
    assert.equal(await asking(input, idTensor(id), controlTensor(1, { precision: 'I32' })), noControl);
    assert.equal(await asking(input, idTensor(id, { shape: [] })), noShape);
    assert.equal(await asking(input, controlTensor(1, { shape: [] })), noShape);
    assert.equal(
      await asking(input, idTensor(id, { shape: [1, 1] })),
      'INVALID_ARGUMENT Invalid number of shape dimensions - Required shape for sequence_id is: (1)',
    );
    assert.equal(
      await asking(input, controlTensor(1, { shape: [2] })),
      'INVALID_ARGUMENT Invalid input shape - Required shape for sequence_control_input is: (1)',
    );
    assert.equal(await asking(idTensor(id)), 'INVALID_ARGUMENT Invalid number of inputs - Expected: 2; Actual: 1');
    assert.equal(
      await asking(input, { ...input, name: 'c' }, idTensor(id), controlTensor(0)),
      'INVALID_ARGUMENT Invalid number of inputs - Expected: 3; Actual: 4',
    );
    assert.deepEqual(await asking(input, idTensor(id), controlTensor(END)), { sum: 0, id });
  });
});

test('a bad request to a sequence does not change it', async () => {
  covers('stateful.failed');
  const id = newId();
  const wide = floatTensor('b', [1, 3], [9, 9, 9]);
  await withClient(async (client) => {
    const shape = 'INVALID_ARGUMENT Invalid input shape - Expected: (1,2); Actual: (1,3); input name: b';
    assert.equal(await askTfs(client, 'accumulator', [wide, idTensor(id), controlTensor(START)]), shape);
    assert.deepEqual(await ask('accumulator', { id, control: START, value: 1 }), { sum: 1, id });
    assert.equal(await askTfs(client, 'accumulator', [wide, idTensor(id), controlTensor(END)]), shape);
    assert.deepEqual(await ask('accumulator', { id, control: END, value: 1 }), { sum: 2, id });
  });
});

test('the metadata has the inputs and outputs of the model only', async () => {
  covers('stateful.metadata');
  const tfs = await restCall(ports.restPort, 'GET', '/v1/models/accumulator/metadata');
  const kserve = await restCall(ports.restPort, 'GET', '/v2/models/accumulator');
  for (const { status, text } of [tfs, kserve]) {
    assert.equal(status, 200);
    assert.ok(text.includes('"b"') && !text.includes('sequence'), text);
  }
});

test('rows of the TensorFlow Serving REST API carry the id beside each output', async () => {
  covers('stateful.rest');
  const id = newId();
  const instance = { b: [1, 2], sequence_id: Number(id), sequence_control_input: START };
  const { status, text } = await restPredict(ports.restPort, 'accumulator', { instances: [instance] });
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), { predictions: [{ a: [1, 2], sequence_id: Number(id) }] });
  const unnamed = await restPredict(ports.restPort, 'accumulator', { instances: [[1, 2]] });
  assert.equal(unnamed.status, 400);
  assert.ok(unnamed.text.includes('Sequence ID has not been provided in request inputs'));
});

for (const servable of ['one', 'four']) {
  test(`many sequences at once over many connections keep apart with the infer requests of ${servable}`, async () => {
    covers('stateful.state');
    const sums = await Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        const protocol = PROTOCOLS[index % PROTOCOLS.length]!;
        const id = newId();
        let answer = await protocol.ask(ports, servable, { id, control: START, value: index });
        for (let step = 0; step < 4; step += 1) answer = await protocol.ask(ports, servable, { id, value: index });
        assert.deepEqual(await protocol.ask(ports, servable, { id, control: END, value: index }), {
          sum: 6 * index,
          id,
        });
        return typeof answer === 'string' ? answer : answer.sum;
      }),
    );
    assert.deepEqual(
      sums,
      Array.from({ length: 24 }, (_, index) => 5 * index),
    );
  });

  test(`requests of one sequence that come at once over many connections lose nothing with ${servable}`, async () => {
    covers('stateful.serial');
    const id = newId();
    await ask(servable, { id, control: START });
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        PROTOCOLS[index % PROTOCOLS.length]!.ask(ports, servable, { id, value: 1 }),
      ),
    );
    const sums = answers.map((answer) => (typeof answer === 'string' ? answer : answer.sum));
    assert.deepEqual(
      sums.sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 24 }, (_, index) => index + 1),
    );
    assert.deepEqual(await ask(servable, { id, control: END }), { sum: 24, id });
  });
}

describe('while a request of the sequence runs', () => {
  /** Once it is open, small requests arrive in the order in which they were sent. */
  const withOpenClient = (use: (client: GrpcClient) => Promise<void>): Promise<void> =>
    withClient(async (client) => {
      assert.equal(await askTfs(client, 'accumulator', stepTensors({ id: newId() })), MISSING);
      await use(client);
    });

  const slow = (id: bigint, control: number): Uint8Array =>
    encodePredictRequest('slow', null, [SLOW_INPUT, idTensor(id), controlTensor(control)]);

  test('its last request has the id to itself until it is answered', async () => {
    covers('stateful.error.terminated');
    const id = newId();
    await withOpenClient(async (client) => {
      const calls = [START, 0, END, START, 0, END].map((control) => client.call(METHOD.PREDICT, slow(id, control)));
      const codes = (await Promise.all(calls)).map(({ code, details }) => `${code} ${details}`);
      const terminated = "FAILED_PRECONDITION Sequence last request is being processed and it's not available anymore";
      assert.deepEqual(codes, ['OK ', 'OK ', 'OK ', terminated, MISSING, MISSING]);
      assert.equal((await client.call(METHOD.PREDICT, slow(id, START))).code, 'OK');
      assert.equal((await client.call(METHOD.PREDICT, slow(id, END))).code, 'OK');
    });
  });

  test('one that waits and is cancelled has not happened, even if it was to end the sequence', async () => {
    covers('stateful.failed');
    const id = newId();
    await withOpenClient(async (client) => {
      const first = client.begin(METHOD.PREDICT, slow(id, START));
      const last = client.begin(METHOD.PREDICT, slow(id, END));
      const refused = client.call(METHOD.PREDICT, slow(id, START));
      assert.match((await refused).details, /^Sequence last request/);
      last.cancel();
      assert.equal((await last.outcome).code, 'CANCELLED');
      assert.equal((await first.outcome).code, 'OK');
      await until(async () => (await client.call(METHOD.PREDICT, slow(id, 0))).code === 'OK');
      assert.equal((await client.call(METHOD.PREDICT, slow(id, END))).code, 'OK');
    });
  });

  test('a first one that is cancelled leaves no sequence behind', async () => {
    covers('stateful.failed');
    const id = newId();
    await withOpenClient(async (client) => {
      const first = client.begin(METHOD.PREDICT, slow(id, START));
      const second = client.call(METHOD.PREDICT, slow(id, START));
      assert.equal((await second).code, 'ALREADY_EXISTS');
      first.cancel();
      assert.equal((await first.outcome).code, 'CANCELLED');
      await until(async () => (await client.call(METHOD.PREDICT, slow(id, START))).code === 'OK');
      assert.equal((await client.call(METHOD.PREDICT, slow(id, END))).code, 'OK');
    });
  });
});

/** The server goes on with what was cancelled for as long as an inference takes. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

test('the cleaner removes sequences that are idle from one scan to the next, where the model wants it', async () => {
  covers('stateful.idle_sequence_cleanup');
  const [used, idle] = [newId(), newId()];
  for (const [servable, id] of [
    ['accumulator', used],
    ['accumulator', idle],
    ['kept', idle],
  ] as const) {
    await ask(servable, { id, control: START, value: 1 });
  }
  server.cleanSequences();
  assert.deepEqual(await ask('accumulator', { id: used, value: 1 }), { sum: 2, id: used });
  server.cleanSequences();
  assert.deepEqual(await ask('accumulator', { id: used, value: 1 }), { sum: 3, id: used });
  assert.equal(await ask('accumulator', { id: idle }), MISSING);
  assert.deepEqual(await ask('kept', { id: idle, value: 1 }), { sum: 2, id: idle });
  assert.deepEqual(await ask('accumulator', { id: idle, control: START, value: 7 }), { sum: 7, id: idle });
  await log.has(`[Idle sequence cleanup] Removing sequence with id: ${idle} on model accumulator, version: 1`);
});

test('the low latency transformation keeps the state of a loop', async () => {
  covers('stateful.low_latency');
  const id = newId();
  const add = async (value: number, control: number): Promise<unknown> => {
    const inputs = {
      b: [[Array<number>(4).fill(value)]],
      sequence_id: [Number(id)],
      sequence_control_input: [control],
    };
    const { text } = await restPredict(ports.restPort, 'loop', { inputs });
    return (JSON.parse(text) as { readonly outputs: { readonly a: unknown } }).outputs.a;
  };
  assert.deepEqual(await add(1, START), [[[1, 1, 1, 1]]]);
  assert.deepEqual(await add(2, 0), [[[3, 3, 3, 3]]]);
  assert.deepEqual(await add(3, END), [[[6, 6, 6, 6]]]);
});

test('no pipeline has a stateful model, and no stateful model follows the shape of its requests', async () => {
  covers('stateful.no_pipeline', 'stateful.no_auto');
  await withClient(async (client) => {
    const { code, details } = await client.predict('pipe', stepTensors({}));
    assert.equal(`${code} ${details}`, 'UNAVAILABLE Pipeline is not loaded yet');
    assert.equal((await client.predict('automatic', stepTensors({ control: START }))).code, 'NOT_FOUND');
  });
  assert.equal(log.count('Stateful model cannot be subscribed to pipeline'), 1);
  assert.equal(log.count('Dynamic shape and dynamic batch size are not supported for stateful models'), 1);
});

test('the log follows sequences under its own logger', async () => {
  const id = newId();
  await ask('kept', { id, control: START });
  await ask('kept', { id, control: END });
  for (const text of [
    `Model kept version 1 Adding new sequence with ID: ${id}`,
    `Model kept versions 1 Removing sequence with ID: ${id}`,
  ]) {
    await log.has(text);
  }
  assert.equal(log.count('[sequence_manager]') > 0, true);
});

test('a version that is reloaded begins without sequences, and cannot be made anything but stateful', async () => {
  covers('stateful.reload', 'stateful.type_change', 'stateful.cleaner_interval');
  const name = 'reload.json';
  const config = repository.writeConfig([statefulModel('model')], [], name);
  const file = new LogFile(repository.path('reload.log'));
  const quiet = ['--file_system_poll_wait_seconds', '0', '--sequence_cleaner_poll_wait_minutes', '0'];
  const settings = embeddedSettings(config, ...quiet, '--log_level', 'INFO', '--log_path', file.path);
  await withEmbeddedServer(settings, async (own: EmbeddedServer) => {
    const id = newId();
    const add = (step: Step): Promise<Answer> => TFS_GRPC.ask(own, 'model', { id, value: 1, ...step });
    assert.deepEqual(await add({ control: START }), { sum: 1, id });
    repository.writeConfig([statefulModel('model', { max_sequence_number: 7 })], [], name);
    await own.server.poll();
    assert.equal(await add({}), MISSING);
    assert.deepEqual(await add({ control: START }), { sum: 1, id });
    repository.writeConfig([{ name: 'model', base_path: 'accumulator' }], [], name);
    await own.server.poll();
    assert.deepEqual(await add({}), { sum: 2, id });
    assert.equal(file.count('Model type cannot be changed after it is loaded'), 1);
  });
  assert.equal(file.count('Started sequence cleaner'), 0);
});

test('a single model is stateful by its flags, whatever executes nodes', async () => {
  covers('stateful.flag', 'stateful.max_sequence_number', 'stateful.cleaner_interval');
  const file = new LogFile(repository.path('single.log'));
  const flags = ['--stateful', '--max_sequence_number', '1', '--node_executor', 'piscina', '--log_path', file.path];
  const command = parseCommandLine(
    ['--model_name', 'model', '--model_path', repository.path('accumulator'), '--port', '1', ...flags],
    {},
    machine(),
  );
  assert.ok(command.kind === 'serve');
  const listen = { addresses: ['127.0.0.1'], port: 0 };
  const base = embeddedSettings('unused', '--log_level', 'INFO', '--log_path', file.path);
  const settings = { ...command.settings, grpc: listen, rest: listen, log: base.log };
  await withEmbeddedServer(settings, async (own) => {
    assert.deepEqual(await TFS_GRPC.ask(own, 'model', { id: 1n, control: START, value: 1 }), { sum: 1, id: 1n });
    const refused = await TFS_GRPC.ask(own, 'model', { control: START });
    assert.ok(typeof refused === 'string' && refused.startsWith('UNAVAILABLE Max sequence number'));
    assert.deepEqual(await TFS_GRPC.ask(own, 'model', { id: 1n, control: END, value: 2 }), { sum: 3, id: 1n });
  });
  assert.equal(file.count('Started sequence cleaner'), 1);
});
