import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { METHOD } from '#src/frontends/kserve/method.js';
import { covers } from '../contract/covers.js';
import { writeStringPassthroughModel } from '../fixtures/ir.js';
import { addDummy, addHeavy, addPair, assertServes, pipelineOf } from '../helpers/dummy-servables.js';
import { GrpcClient } from '../helpers/grpc-client.js';
import { decodeKserve, encodeKserve, type Fields } from '../helpers/kserve-messages.js';
import { PosixSharedMemory } from '../helpers/posix-shared-memory.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { errorOf, restCall } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess, withServerProcess } from '../helpers/server.js';
import { bytesOf } from '../helpers/tensors.js';

/** Of one tensor of the dummy. */
const SIZE = 40;
const TEN = Array.from({ length: 10 }, (_, index) => index);
const ELEVEN = TEN.map((value) => value + 1);
const PAGE = 4096;

/** Where a tensor is, as a test says it. */
interface Place {
  readonly region: string;
  readonly offset?: number;
  readonly size?: number;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype?: string;
  /** Elements in the message. */
  readonly sent?: readonly number[];
  readonly place?: Place;
}

interface Request {
  readonly servable: string;
  readonly inputs: readonly Tensor[];
  readonly outputs?: readonly { readonly name: string; readonly place?: Place }[];
}

interface Answer {
  /** `OK`, or the code and the text of the error. */
  readonly status: string;
  /** Outputs by name: their parameters, and their bytes when they are in the answer. */
  readonly outputs: ReadonlyMap<string, { readonly parameters: Fields; readonly content: number[] }>;
}

/** What both APIs offer, in one shape. */
interface Api {
  register(name: string, key: string, offset: number, byteSize: number): Promise<string>;
  /** Without a name: all. */
  unregister(name?: string): Promise<string>;
  status(name?: string): Promise<{ readonly status: string; readonly regions: readonly Fields[] }>;
  infer(request: Request): Promise<Answer>;
}

let server: ServerProcess;
let client: GrpcClient;

before(async () => {
  const repository = new TestRepository();
  writeStringPassthroughModel(repository.path('texts', '1'));
  const twice = [
    modelNode('first', 'dummy', { b: 'request.b' }, ['a']),
    modelNode('second', 'dummy', { b: 'first.a' }, ['a']),
  ];
  const config = repository.writeConfig(
    [addDummy(repository), addPair(repository), addHeavy(repository), { name: 'texts' }],
    [pipelineOf('dummy_pipeline', 'dummy'), pipeline('both', ['b'], twice, { once: 'first.a', twice: 'second.a' })],
  );
  server = await startServerProcess(['--config_path', config, '--grpc_workers', '2']);
  await server.line('ServableManagerModule started');
  client = new GrpcClient(server.grpcPort);
});

afterEach(() => GRPC.unregister());

after(async () => {
  client.close();
  assert.equal(await server.stop(), 0);
  assert.deepEqual(
    server.lines.filter((line) => /fault of the server|never given back/.test(line)),
    [],
  );
});

function parametersOf({ region, offset, size = SIZE }: Place): Record<string, string | number> {
  return {
    shared_memory_region: region,
    shared_memory_byte_size: size,
    ...(offset !== undefined && { shared_memory_offset: offset }),
  };
}

function grpcParameters(place: Place | undefined): Fields {
  if (place === undefined) return {};
  const entries = Object.entries(parametersOf(place));
  const parameters = entries.map(([name, value]) => [
    name,
    typeof value === 'string' ? { string_param: value } : { int64_param: value },
  ]);
  return { parameters: Object.fromEntries(parameters) as Fields };
}

const GRPC: Api & { unregister(name?: string): Promise<string> } = {
  register: (name, key, offset, byteSize) =>
    grpcStatus(METHOD.SYSTEM_SHARED_MEMORY_REGISTER, 'SystemSharedMemoryRegisterRequest', {
      name,
      key,
      offset,
      byte_size: byteSize,
    }),
  unregister: (name = '') =>
    grpcStatus(METHOD.SYSTEM_SHARED_MEMORY_UNREGISTER, 'SystemSharedMemoryUnregisterRequest', { name }),
  async status(name = '') {
    const request = encodeKserve('SystemSharedMemoryStatusRequest', { name });
    const { code, details, bytes } = await client.call(METHOD.SYSTEM_SHARED_MEMORY_STATUS, request);
    const { regions } = decodeKserve('SystemSharedMemoryStatusResponse', bytes);
    return { status: `${code} ${details}`.trim(), regions: Object.values((regions ?? {}) as Record<string, Fields>) };
  },
  async infer({ servable, inputs, outputs = [] }) {
    const request = encodeKserve('ModelInferRequest', {
      model_name: servable,
      inputs: inputs.map(({ name, shape, datatype = 'FP32', place }) => ({
        name,
        shape,
        datatype,
        ...grpcParameters(place),
      })),
      outputs: outputs.map(({ name, place }) => ({ name, ...grpcParameters(place) })),
      raw_input_contents: inputs.flatMap(({ sent }) => (sent === undefined ? [] : [bytesOf(Float32Array.from(sent))])),
    });
    const { code, details, bytes } = await client.call(METHOD.MODEL_INFER, request);
    const answer = decodeKserve('ModelInferResponse', bytes);
    const contents = (answer['raw_output_contents'] ?? []) as readonly Uint8Array[];
    const tensors = (answer['outputs'] ?? []) as readonly Fields[];
    assert.equal(contents.length, tensors.length);
    return {
      status: `${code} ${details}`.trim(),
      outputs: new Map(
        tensors.map(({ name, parameters }, index) => [
          name as string,
          { parameters: plainParameters(parameters as Fields), content: floats(contents[index]!) },
        ]),
      ),
    };
  },
};

const REST: Api = {
  async register(name, key, offset, byteSize) {
    const body = { key, offset, byte_size: byteSize };
    return restStatus(await restCall(server.restPort, 'POST', `/v2/systemsharedmemory/region/${name}/register`, body));
  },
  async unregister(name) {
    const path = name === undefined ? 'unregister' : `region/${name}/unregister`;
    return restStatus(await restCall(server.restPort, 'POST', `/v2/systemsharedmemory/${path}`, ''));
  },
  async status(name) {
    const path = name === undefined ? 'status' : `region/${name}/status`;
    const answer = await restCall(server.restPort, 'GET', `/v2/systemsharedmemory/${path}`);
    return {
      status: restStatus(answer),
      regions: answer.status === 200 ? (JSON.parse(answer.text) as Fields[]) : [],
    };
  },
  async infer({ servable, inputs, outputs }) {
    const answer = await restCall(server.restPort, 'POST', `/v2/models/${servable}/infer`, {
      inputs: inputs.map(({ name, shape, datatype = 'FP32', sent, place }) => ({
        name,
        shape,
        datatype,
        ...(place !== undefined && { parameters: parametersOf(place) }),
        ...(sent !== undefined && { data: sent }),
      })),
      ...(outputs !== undefined && {
        outputs: outputs.map(({ name, place }) => ({
          name,
          ...(place !== undefined && { parameters: parametersOf(place) }),
        })),
      }),
    });
    const tensors = answer.status === 200 ? ((JSON.parse(answer.text) as Fields)['outputs'] as Fields[]) : [];
    return {
      status: restStatus(answer),
      outputs: new Map(
        tensors.map(({ name, parameters = {}, data = [] }) => [
          name as string,
          { parameters: parameters as Fields, content: data as number[] },
        ]),
      ),
    };
  },
};

async function grpcStatus(path: string, message: string, fields: Fields): Promise<string> {
  const { code, details } = await client.call(path, encodeKserve(message, fields));
  return `${code} ${details}`.trim();
}

const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  500: 'INTERNAL',
};

function restStatus(answer: Awaited<ReturnType<typeof restCall>>): string {
  return answer.status === 200 ? 'OK' : `${CODES[answer.status] ?? answer.status} ${errorOf(answer)}`;
}

function plainParameters(parameters: Fields): Fields {
  return Object.fromEntries(
    Object.entries(parameters as Record<string, Fields>).map(([name, value]) => [
      name,
      value['string_param'] ?? value['int64_param'],
    ]),
  );
}

function floats(bytes: Uint8Array): number[] {
  return [...new Float32Array(Uint8Array.from(bytes).buffer)];
}

function newMemory(values: readonly number[], byteLength = PAGE): PosixSharedMemory {
  const memory = new PosixSharedMemory(byteLength);
  memory.write(bytesOf(Float32Array.from(values)));
  return memory;
}

const INPUT = { name: 'b', shape: [1, 10] } as const;

for (const [title, api] of [
  ['gRPC', GRPC],
  ['REST', REST],
] as const) {
  describe(`shared memory over ${title}`, () => {
    test('regions are registered, told of and unregistered', async () => {
      covers('kserve.shared-memory-regions');
      const { key } = newMemory(TEN);
      assert.equal(await api.register('vat', key, 8, 80), 'OK');
      assert.equal(await api.register('cask', key, 0, PAGE), 'OK');
      const cask = { name: 'cask', key, offset: 0, byte_size: PAGE };
      const vat = { name: 'vat', key, offset: 8, byte_size: 80 };
      assert.deepEqual(await api.status(), { status: 'OK', regions: [cask, vat] });
      assert.deepEqual(await api.status('vat'), { status: 'OK', regions: [vat] });
      assert.equal(
        await api.register('vat', key, 0, 8),
        "ALREADY_EXISTS shared memory region 'vat' already in manager",
      );
      assert.equal(await api.unregister('vat'), 'OK');
      assert.equal(await api.unregister('vat'), 'OK');
      assert.equal((await api.status('vat')).status, "NOT_FOUND Unable to find system shared memory region: 'vat'");
      assert.equal(await api.unregister(), 'OK');
      assert.deepEqual(await api.status(), { status: 'OK', regions: [] });
    });

    test('what is no part of shared memory is not registered', async () => {
      covers('errors.shared-memory-registration');
      const { key } = newMemory(TEN);
      assert.match(
        await api.register('vat', key, 8, PAGE),
        /^INVALID_ARGUMENT failed to register .* 'vat': invalid args/,
      );
      assert.match(await api.register('vat', '../etc/passwd', 0, 8), /^INVALID_ARGUMENT .* expected a key/);
      assert.match(await api.register('vat', `${key}-nobody`, 0, 8), /^INTERNAL Unable to open shared memory region/);
      assert.deepEqual((await api.status()).regions, []);
    });

    for (const servable of ['dummy', 'dummy_pipeline']) {
      test(`${servable} reads its input and writes its output there`, async () => {
        covers('kserve.shared-memory-tensors');
        const memory = newMemory(TEN);
        await api.register('vat', memory.key, 0, PAGE);
        for (const [from, to] of [
          [0, 128],
          [128, 1],
          [1, 640],
        ] as const) {
          memory.write(bytesOf(Float32Array.from(TEN)), from);
          const { status, outputs } = await api.infer({
            servable,
            inputs: [{ ...INPUT, place: { region: 'vat', offset: from } }],
            outputs: [{ name: 'a', place: { region: 'vat', offset: to, size: 64 } }],
          });
          assert.equal(status, 'OK');
          assert.deepEqual(memory.floats(10, to), ELEVEN);
          const parameters = {
            ...(title === 'REST' && { binary_data_size: 0 }),
            ...{ shared_memory_region: 'vat', shared_memory_byte_size: SIZE, shared_memory_offset: to },
          };
          assert.deepEqual(outputs, new Map([['a', { parameters, content: [] }]]));
        }
      });
    }

    test('some tensors may be there and others in the message, both ways', async () => {
      covers('kserve.shared-memory-tensors');
      const memory = newMemory(TEN);
      await api.register('vat', memory.key, 0, PAGE);
      const shared = { shape: [1, 10], place: { region: 'vat' } };
      const sent = { shape: [1, 10], sent: [0, 0, 0, 0, 0, 0, 9, 0, 0, 0] };
      for (const [in1, in2] of [
        [shared, sent],
        [sent, shared],
      ] as const) {
        const inputs = [
          { name: 'in1', ...in1 },
          { name: 'in2', ...in2 },
        ];
        const place = { region: 'vat', offset: 512, size: 8 };
        const [output] = [...(await api.infer({ servable: 'pair', inputs })).outputs.keys()];
        const { status } = await api.infer({ servable: 'pair', inputs, outputs: [{ name: output!, place }] });
        assert.equal(status, 'OK');
        assert.equal(memory.bytes.readBigInt64LE(512), 6n);
      }
      const { status, outputs } = await api.infer({
        servable: 'both',
        inputs: [{ ...INPUT, place: { region: 'vat' } }],
        outputs: [{ name: 'once', place: { region: 'vat', offset: 1024 } }],
      });
      assert.equal(status, 'OK');
      assert.deepEqual(
        outputs.get('twice')!.content,
        ELEVEN.map((value) => value + 1),
      );
      assert.deepEqual(memory.floats(10, 1024), ELEVEN);
    });

    test('strings are there with their lengths', async () => {
      covers('kserve.shared-memory-strings');
      const packed = Buffer.from('\x03\0\0\0one\x04\0\0\0four');
      const memory = new PosixSharedMemory(PAGE);
      memory.write(packed);
      await api.register('vat', memory.key, 0, PAGE);
      const request = (size: number): Request => ({
        servable: 'texts',
        inputs: [{ name: 'a', shape: [2], datatype: 'BYTES', place: { region: 'vat', size: packed.byteLength } }],
        outputs: [{ name: 'a', place: { region: 'vat', offset: 1024, size } }],
      });
      const { status, outputs } = await api.infer(request(100));
      assert.equal(status, 'OK');
      assert.equal(outputs.get('a')!.parameters['shared_memory_byte_size'], packed.byteLength);
      assert.deepEqual(memory.bytes.subarray(1024, 1024 + packed.byteLength), packed);
      const tooSmall =
        "shared memory size specified with the request for output 'a' (14 bytes) should be at least 15 bytes to hold the results";
      assert.equal((await api.infer(request(14))).status, `INVALID_ARGUMENT ${tooSmall}`);
    });

    test('wrong places are refused, and nobody else notices', async () => {
      covers('errors.shared-memory-place');
      const memory = newMemory(TEN, 100);
      await api.register('vat', memory.key, 0, 100);
      const inferFrom = async (place: Place): Promise<string> =>
        (await api.infer({ servable: 'dummy', inputs: [{ ...INPUT, place }] })).status;
      const inferTo = async (place: Place): Promise<string> =>
        (await api.infer({ servable: 'dummy', inputs: [{ ...INPUT, sent: TEN }], outputs: [{ name: 'a', place }] }))
          .status;
      for (const infer of [inferFrom, inferTo]) {
        assert.match(await infer({ region: 'cask' }), /^NOT_FOUND Unable to find shared memory region: 'cask'/);
        assert.match(await infer({ region: 'vat', offset: 100, size: 0 }), /^INVALID_ARGUMENT Invalid offset for/);
        assert.match(await infer({ region: 'vat', offset: 61 }), /^INVALID_ARGUMENT Invalid offset \+ byte size for/);
        assert.match(
          await infer({ region: 'vat', offset: -4 }),
          /^INVALID_ARGUMENT shared_memory_offset of .* received -4/,
        );
        assert.match(await infer({ region: '' }), /^INVALID_ARGUMENT shared_memory_region of /);
      }
      assert.match(await inferFrom({ region: 'vat', size: 36 }), /^INVALID_ARGUMENT .*Expected: 40 bytes; Actual: 36/);
      assert.match(
        await inferTo({ region: 'vat', size: 36 }),
        /^INVALID_ARGUMENT .* \(36 bytes\) should be at least 40/,
      );
      const both = { ...INPUT, sent: TEN, place: { region: 'vat' } };
      if (title === 'REST') {
        const { status } = await api.infer({ servable: 'dummy', inputs: [both] });
        assert.match(status, /^INVALID_ARGUMENT .* together with shared_memory_region/);
      }
      assert.deepEqual(memory.floats(10), TEN);
      await assertServes(server);
    });

    test('a region that was cut off fails its requests and nothing else, and may be registered again', async () => {
      covers('errors.shared-memory-cut-off');
      const memory = newMemory(TEN, 4 * PAGE);
      await api.register('vat', memory.key, 0, 4 * PAGE);
      const request: Request = {
        servable: 'dummy',
        inputs: [{ ...INPUT, place: { region: 'vat' } }],
        outputs: [{ name: 'a', place: { region: 'vat', offset: 3 * PAGE } }],
      };
      assert.equal((await api.infer(request)).status, 'OK');
      memory.truncate(PAGE);
      const { status } = await api.infer(request);
      assert.match(
        status,
        /(FAILED_PRECONDITION|INVALID_ARGUMENT) Shared memory region was cut off by its owner.* - 'vat'/,
      );
      await assertServes(server);
      memory.grow(4 * PAGE);
      await api.unregister('vat');
      await api.register('vat', memory.key, 0, 4 * PAGE);
      assert.equal((await api.infer(request)).status, 'OK');
      assert.deepEqual(memory.floats(10, 3 * PAGE), ELEVEN);
    });
  });
}

/** FP32 [256,256], one inference at a time. */
const HEAVY = 256 * 256 * 4;
const HEAVY_REQUEST: Request = {
  servable: 'heavy',
  inputs: [{ name: 'b', shape: [256, 256], place: { region: 'vat', size: HEAVY } }],
  outputs: [{ name: 'a', place: { region: 'vat', offset: HEAVY, size: HEAVY } }],
};

/** Sends heavy requests of which most wait for the first, and tells when they have arrived. */
async function startHeavy(count: number): Promise<Promise<Answer>[]> {
  const answers = Array.from({ length: count }, () => GRPC.infer(HEAVY_REQUEST));
  // The one connection keeps the order, so this is answered when those have begun.
  await GRPC.status();
  return answers;
}

test('shared memory: a region that is unregistered while requests use it lasts until they end', async () => {
  covers('kserve.shared-memory-lifetime');
  const memory = new PosixSharedMemory(2 * HEAVY);
  await GRPC.register('vat', memory.key, 0, 2 * HEAVY);
  const answers = await startHeavy(4);
  assert.equal(await GRPC.unregister('vat'), 'OK');
  assert.match((await GRPC.infer(HEAVY_REQUEST)).status, /^NOT_FOUND/);
  for (const { status } of await Promise.all(answers)) assert.equal(status, 'OK');
  assert.deepEqual((await GRPC.status()).regions, []);
  await assertServes(server);
});

test('shared memory: a region that is cut off while requests use it fails them, and the server stays', async () => {
  covers('errors.shared-memory-cut-off');
  const memory = new PosixSharedMemory(2 * HEAVY);
  await GRPC.register('vat', memory.key, 0, 2 * HEAVY);
  const answers = await startHeavy(6);
  memory.truncate(0);
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  assert.match(statuses.at(-1)!, /^FAILED_PRECONDITION Shared memory region was cut off by its owner/);
  await assertServes(server);
});

test('shared memory: CUDA has no regions, and none can be registered', async () => {
  covers('kserve.cuda-shared-memory');
  const empty = new Uint8Array(0);
  assert.equal((await client.call(METHOD.CUDA_SHARED_MEMORY_STATUS, empty)).code, 'OK');
  assert.equal((await client.call(METHOD.CUDA_SHARED_MEMORY_UNREGISTER, empty)).code, 'OK');
  const { code, details } = await client.call(METHOD.CUDA_SHARED_MEMORY_REGISTER, empty);
  assert.deepEqual([code, details], ['UNIMPLEMENTED', 'CUDA shared memory is not supported']);
  const path = '/v2/cudasharedmemory';
  assert.equal((await restCall(server.restPort, 'GET', `${path}/status`)).text, '[]');
  assert.equal((await restCall(server.restPort, 'POST', `${path}/unregister`, '')).status, 200);
  assert.equal((await restCall(server.restPort, 'POST', `${path}/region/vat/register`, {})).status, 501);
});

test('shared memory: a client that goes away leaves nothing in use', async () => {
  const memory = new PosixSharedMemory(2 * HEAVY);
  await GRPC.register('vat', memory.key, 0, 2 * HEAVY);
  const other = new GrpcClient(server.grpcPort);
  const request = encodeKserve('ModelInferRequest', {
    model_name: 'heavy',
    inputs: [{ name: 'b', shape: [256, 256], datatype: 'FP32', ...grpcParameters({ region: 'vat', size: HEAVY }) }],
  });
  const gone = Array.from({ length: 4 }, () => other.call(METHOD.MODEL_INFER, request));
  other.close();
  await Promise.all(gone);
  assert.equal((await GRPC.infer(HEAVY_REQUEST)).status, 'OK');
});

for (const executor of ['piscina', 'adaptive']) {
  test(`shared memory: nodes of --node_executor ${executor} read and write it`, async () => {
    covers('kserve.shared-memory-tensors');
    const repository = new TestRepository();
    const config = repository.writeConfig([addDummy(repository)], [pipelineOf('dummy_pipeline', 'dummy')]);
    await withServerProcess(['--config_path', config, '--node_executor', executor], async ({ grpcPort }) => {
      const other = new GrpcClient(grpcPort);
      const memory = newMemory(TEN);
      const region = encodeKserve('SystemSharedMemoryRegisterRequest', {
        name: 'vat',
        key: memory.key,
        byte_size: PAGE,
      });
      assert.equal((await other.call(METHOD.SYSTEM_SHARED_MEMORY_REGISTER, region)).code, 'OK');
      for (const servable of ['dummy', 'dummy_pipeline']) {
        memory.write(new Uint8Array(SIZE), 512);
        const request = encodeKserve('ModelInferRequest', {
          model_name: servable,
          inputs: [{ ...INPUT, datatype: 'FP32', ...grpcParameters({ region: 'vat' }) }],
          outputs: [{ name: 'a', ...grpcParameters({ region: 'vat', offset: 512 }) }],
        });
        assert.equal((await other.call(METHOD.MODEL_INFER, request)).code, 'OK');
        assert.deepEqual(memory.floats(10, 512), ELEVEN);
      }
      other.close();
    });
  });
}

test('shared memory: switched off, there are no regions and none can be registered', async () => {
  covers('kserve.shared-memory-off');
  const repository = new TestRepository();
  const config = repository.writeConfig([addDummy(repository)]);
  await withServerProcess(['--config_path', config, '--system_shared_memory=false'], async ({ grpcPort, restPort }) => {
    const other = new GrpcClient(grpcPort);
    const { key } = newMemory(TEN);
    const region = encodeKserve('SystemSharedMemoryRegisterRequest', { name: 'vat', key, byte_size: PAGE });
    const refused = await other.call(METHOD.SYSTEM_SHARED_MEMORY_REGISTER, region);
    assert.deepEqual([refused.code, refused.details], ['UNIMPLEMENTED', 'Shared memory is not offered by this server']);
    for (const path of [METHOD.SYSTEM_SHARED_MEMORY_STATUS, METHOD.SYSTEM_SHARED_MEMORY_UNREGISTER])
      assert.equal((await other.call(path, new Uint8Array(0))).code, 'OK');
    const body = { key, byte_size: PAGE };
    assert.equal((await restCall(restPort, 'POST', '/v2/systemsharedmemory/region/vat/register', body)).status, 501);
    assert.equal((await restCall(restPort, 'GET', '/v2/systemsharedmemory/status')).text, '[]');
    const request = encodeKserve('ModelInferRequest', {
      model_name: 'dummy',
      inputs: [{ ...INPUT, datatype: 'FP32', ...grpcParameters({ region: 'vat' }) }],
    });
    assert.equal((await other.call(METHOD.MODEL_INFER, request)).code, 'UNIMPLEMENTED');
    const { text } = await restCall(restPort, 'GET', '/v2');
    assert.ok(!((JSON.parse(text) as Fields)['extensions'] as string[]).includes('system_shared_memory'));
    other.close();
  });
});
