import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { METHOD } from '#src/frontends/kserve/method.js';
import { covers } from '../contract/covers.js';
import { addDummy, assertServes, DUMMY_INPUT, ONES, pipelineOf, ZEROS } from '../helpers/dummy-servables.js';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { rawInferRequest } from '../helpers/kserve-messages.js';
import { TestRepository } from '../helpers/repository.js';
import { errorOf, restCall } from '../helpers/rest-client.js';
import { startServerProcess, type ServerProcess, VINERY, withServerProcess } from '../helpers/server.js';

/** More brackets than a stack has frames. */
const DEEP = 200_000;

function nested(levels: number, open = '[', close = ']'): string {
  return open.repeat(levels) + close.repeat(levels);
}

const OBJECTS = nested(DEEP, '{"a":', '}').replace('}', '1}');
const LISTS = nested(DEEP);
const TOO_DEEP = 'JSON nesting depth exceeds the allowed limit';

describe('odd JSON of clients', () => {
  let server: ServerProcess;

  before(async () => {
    const repository = new TestRepository();
    const config = repository.writeConfig([addDummy(repository)], [pipelineOf('dummy_pipeline', 'dummy')]);
    server = await startServerProcess(['--config_path', config]);
    await server.line('ServableManagerModule started');
  });

  after(async () => {
    await assertServes(server);
    assert.equal(await server.stop(), 0);
    assert.deepEqual(
      server.lines.filter((line) => line.includes('fault of the server')),
      [],
    );
  });

  const register = '/v2/systemsharedmemory/region/r/register';
  for (const deep of [LISTS, OBJECTS]) {
    const kind = deep === LISTS ? 'lists' : 'objects';
    const bodies: readonly (readonly [string, string])[] = [
      ['/v1/models/dummy:predict', deep],
      ['/v1/models/dummy:predict', `{"inputs":{"b":${deep}}}`],
      ['/v1/models/dummy:predict', `{"instances":[${deep}]}`],
      ['/v1/models/dummy:predict', `{"signature_name":${deep},"instances":[]}`],
      ['/v2/models/dummy/infer', deep],
      ['/v2/models/dummy/infer', `{"inputs":[{"name":"b","shape":[1],"datatype":"FP32","data":${deep}}]}`],
      ['/v2/models/dummy/infer', `{"inputs":[{"name":"b","shape":[1],"datatype":"BYTES","data":${deep}}]}`],
      ['/v2/models/dummy/infer', `{"inputs":[{"name":"b","shape":${deep},"datatype":"FP32","data":[1]}]}`],
      ['/v2/models/dummy/infer', `{"inputs":[],"parameters":{"p":${deep}}}`],
      ['/v2/models/dummy/infer', `{"inputs":[],"outputs":${deep}}`],
      [register, deep],
      [register, `{"key":${deep},"byte_size":1}`],
      [register, `{"key":"k","offset":${deep},"byte_size":1}`],
      ['/v2/repository/index', deep],
    ];
    test(`${kind} inside one another without end are refused`, async () => {
      covers('errors.nesting');
      for (const [path, body] of bodies) {
        const outcome = await restCall(server.restPort, 'POST', path, body);
        assert.deepEqual([outcome.status, errorOf(outcome)], [500, TOO_DEEP], `${path} ${body.slice(0, 60)}`);
      }
    });

    test(`${kind} inside one another without end are refused in front of binary data`, async () => {
      const json = `{"inputs":[{"name":"b","shape":[1],"datatype":"FP32"}],"parameters":{"p":${deep}}}`;
      const headers = { 'inference-header-content-length': String(json.length) };
      const path = '/v2/models/dummy/infer';
      const outcome = await restCall(server.restPort, 'POST', path, `${json}0000`, undefined, headers);
      assert.deepEqual([outcome.status, errorOf(outcome)], [500, TOO_DEEP]);
    });
  }

  test('parameters may be any number, over both APIs of KServe', async () => {
    covers('kserve.rest-parameters');
    for (const number of ['0.5', '9007199254740992', '1e300', '-1', '18446744073709551616']) {
      const parameters = `{"p":${number}}`;
      const input = `{"name":"b","shape":[1,10],"datatype":"FP32","data":[${ZEROS.join()}],"parameters":${parameters}}`;
      const body = `{"parameters":${parameters},"inputs":[${input}],"outputs":[{"name":"a","parameters":${parameters}}]}`;
      const outcome = await restCall(server.restPort, 'POST', '/v2/models/dummy/infer', body);
      assert.equal(outcome.status, 200, outcome.text);
      const { outputs } = JSON.parse(outcome.text) as { readonly outputs: readonly { readonly data: unknown }[] };
      assert.deepEqual(outputs[0]!.data, ONES);
    }
    await withGrpcClient(server.grpcPort, async (client) => {
      for (const value of [
        { double_param: 0.5 },
        { uint64_param: 2 ** 53 },
        { int64_param: -1 },
        { bool_param: true },
      ]) {
        const request = rawInferRequest('dummy', [DUMMY_INPUT], { parameters: { p: value } });
        assert.equal((await client.call(METHOD.MODEL_INFER, request)).code, 'OK', JSON.stringify(value));
      }
    });
  });

  test('an answer with floats that JSON has no numbers for can be sent again', async () => {
    covers('kserve.not-finite-sent', 'tfs-rest.not-finite-sent');
    const words = ['NaN', 'Infinity', '-Infinity', ...new Array<string>(7).fill('0.5')].join(', ');
    const sums = ['NaN', 'Infinity', '-Infinity', ...new Array<string>(7).fill('1.5')];
    const body = `{"inputs":[{"name":"b","shape":[1,10],"datatype":"FP32","data":[${words}]}]}`;
    const kserve = await restCall(server.restPort, 'POST', '/v2/models/dummy/infer', body);
    assert.match(kserve.text, new RegExp(`"data": \\[${sums.join(', ')}\\]`));
    const again = kserve.text.replace('"outputs"', '"inputs"').replace('"name": "a"', '"name": "b"');
    assert.equal((await restCall(server.restPort, 'POST', '/v2/models/dummy/infer', again)).status, 200);
    const tfs = await restCall(server.restPort, 'POST', '/v1/models/dummy:predict', `{"inputs":[[${words}]]}`);
    assert.deepEqual(tfs.text.match(/-?[\w.]*(?:NaN|Infinity|\d\.\d)/g), sums);
    const column = tfs.text.replace('"outputs"', '"inputs"');
    assert.equal((await restCall(server.restPort, 'POST', '/v1/models/dummy:predict', column)).status, 200);
  });
});

const run = promisify(execFile);

/** What the command prints on standard error, and its exit code, when it does not start. */
async function refusal(argv: readonly string[]): Promise<string> {
  const outcome = await run(VINERY, argv).then(
    () => assert.fail('it has started'),
    (error: unknown) => error as { readonly code: number; readonly stdout: string; readonly stderr: string },
  );
  assert.notEqual(outcome.code, 0);
  return outcome.stdout + outcome.stderr;
}

test('a config file with brackets inside one another without end is refused, and a good one served after it', async () => {
  covers('errors.nesting');
  const repository = new TestRepository();
  const model = addDummy(repository);
  const config = repository.writeConfig([model]);
  await withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
    const places = [LISTS, `{"model_config_list":${LISTS}}`, `{"model_config_list":[],"other":${OBJECTS}}`];
    for (const key of ['plugin_config', 'model_version_policy', 'shape', 'nireq'])
      places.push(`{"model_config_list":[{"config":{"name":"dummy","base_path":"dummy","${key}":${LISTS}}}]}`);
    for (const text of places) {
      repository.write('config.json', text);
      const outcome = await restCall(server.restPort, 'POST', '/v1/config/reload');
      assert.ok(outcome.status >= 400 && outcome.text.length < 2_048, `${outcome.status} ${text.slice(0, 80)}`);
      await assertServes(server);
    }
    repository.writeConfig([model]);
    assert.equal((await restCall(server.restPort, 'POST', '/v1/config/reload')).status, 200);
    const faults = server.lines.filter((line) => line.includes('The file is not valid json'));
    assert.ok(faults.length >= places.length);
    for (const line of faults) assert.match(line, /expected at most 100 lists and objects inside one another/);
  });
});

test('flags with brackets inside one another are refused in one line', async () => {
  const repository = new TestRepository();
  addDummy(repository);
  const start = ['--model_name', 'dummy', '--model_path', repository.path('dummy'), '--port', '1'];
  // A word of the command line may have 128 KiB.
  const deep = nested(20_000, '{"a":', '}').replace('}', '1}');
  for (const flag of ['plugin_config', 'model_version_policy', 'shape', 'layout', 'dynamic_batching']) {
    const text = await refusal([...start, `--${flag}`, deep]);
    assert.match(text, new RegExp(`--${flag}: expected at most 100 lists and objects inside one another`));
    assert.ok(text.length < 4_000, `${text.length} characters`);
  }
});
