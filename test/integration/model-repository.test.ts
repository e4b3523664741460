import assert from 'node:assert/strict';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { covers } from '../contract/covers.js';
import {
  writeFrozenGraph,
  writeOnnxModel,
  writePaddleModel,
  writeSavedModel,
  writeTfliteModel,
} from '../fixtures/formats.js';
import { writeDummyModel } from '../fixtures/ir.js';
import { TestRepository } from '../helpers/repository.js';
import { restCall } from '../helpers/rest-client.js';
import { startServerProcess, withServerProcess, type ServerProcess } from '../helpers/server.js';

const repository = new TestRepository();
const ZEROS = { instances: [Array(10).fill(0)] };

async function predict(server: ServerProcess, path: string): Promise<unknown> {
  const { text } = await restCall(server.restPort, 'POST', `/v1/models/${path}:predict`, ZEROS);
  const { predictions, error } = JSON.parse(text) as { predictions?: unknown[]; error?: string };
  const [first] = predictions ?? [];
  return error ?? (Array.isArray(first) ? (first as number[])[0] : first);
}

async function states(server: ServerProcess, model: string): Promise<string[]> {
  const { text } = await restCall(server.restPort, 'GET', `/v1/models/${model}`);
  const answer = JSON.parse(text) as { model_version_status: { version: string; state: string }[] };
  return answer.model_version_status.map(({ version, state }) => `${version} ${state}`).sort();
}

async function names(server: ServerProcess, model: string): Promise<{ inputs: string[]; outputs: string[] }> {
  const { text } = await restCall(server.restPort, 'GET', `/v1/models/${model}/metadata`);
  const { metadata } = JSON.parse(text) as {
    metadata: { signature_def: { signatureDef: { serving_default: Record<'inputs' | 'outputs', object> } } };
  };
  const { inputs, outputs } = metadata.signature_def.signatureDef.serving_default;
  return { inputs: Object.keys(inputs), outputs: Object.keys(outputs) };
}

describe('a model repository', () => {
  let server: ServerProcess;
  before(async () => {
    const path = repository.path.bind(repository);
    writeOnnxModel(path('onnx', '1'));
    writeFrozenGraph(path('frozen', '1'));
    writeSavedModel(path('saved', '1'));
    writePaddleModel(path('paddle', '1'));
    writeTfliteModel(path('tflite', '1'));
    // All kinds in one directory: of the IR alone two is added.
    for (const write of [writeOnnxModel, writeFrozenGraph, writePaddleModel, writeTfliteModel])
      write(path('mixed', '1'));
    writeDummyModel(path('mixed', '1'), { addend: 2, name: 'any name' });
    writeFileSync(path('mixed', '1', 'any name.mapping'), 'not read');
    writeDummyModel(path('nameless', '1'), { output: '' });
    writeDummyModel(path('mapped', '1'));
    writeFileSync(path('mapped', '1', 'mapping_config.json'), '{"inputs": {"b": "in"}, "outputs": {"a": "out"}}');
    for (const version of ['1', '0', '-2', 'text', '3abc']) writeDummyModel(path('versions', version));
    mkdirSync(path('none'));
    writeDummyModel(path('changing', '1'), { addend: 1 });
    writeDummyModel(path('half', '1'), { addend: 1 });
    const { size } = statSync(path('half', '1', 'model.bin'));
    truncateSync(path('half', '1', 'model.bin'), size / 2);
    writeDummyModel(path('copying-source'), { addend: 5 });
    mkdirSync(path('copying', '1'), { recursive: true });
    copyFileSync(path('copying-source', 'model.xml'), path('copying', '1', 'model.xml'));
    const models = ['onnx', 'frozen', 'saved', 'paddle', 'tflite', 'mixed', 'nameless', 'mapped', 'versions', 'none'];
    const listed = [...models, 'changing', 'half', 'copying'].map((name) => ({ name }));
    const config = repository.writeConfig([
      ...listed,
      { name: 'absolute', base_path: path('mixed') },
      ...['../x', 'x/../y', 'x/..'].map((base_path, index) => ({ name: `climbing${index}`, base_path })),
    ]);
    server = await startServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0']);
    await server.line('ServableManagerModule started');
  });
  after(async () => assert.equal(await server.stop(), 0));

  const reload = (): Promise<{ readonly status: number }> => restCall(server.restPort, 'POST', '/v1/config/reload');

  for (const { title, model, expected, covers: rows } of [
    { title: 'ONNX', model: 'onnx', expected: 1, covers: 'repository.onnx' },
    { title: 'a frozen graph of TensorFlow', model: 'frozen', expected: 1, covers: 'repository.tensorflow-frozen' },
    { title: 'a saved model of TensorFlow', model: 'saved', expected: 1, covers: 'repository.tensorflow-saved-model' },
    { title: 'Paddle', model: 'paddle', expected: 1, covers: 'repository.paddle' },
    { title: 'TensorFlow Lite', model: 'tflite', expected: 1, covers: 'repository.tensorflow-lite' },
    { title: 'IR before all others, whatever it is called', model: 'mixed', expected: 2, covers: 'repository.ir' },
    { title: 'an absolute path', model: 'absolute', expected: 2, covers: 'repository.relative-to-config' },
  ] as const) {
    test(`${title} is served`, async () => {
      covers(rows);
      assert.equal(await predict(server, model), expected);
    });
  }

  test('relative paths belong to the directory of config.json, not to the working directory', async () => {
    covers('repository.relative-to-config');
    assert.notEqual(process.cwd(), repository.directory);
    assert.deepEqual(await states(server, 'onnx'), ['1 AVAILABLE']);
  });

  test('an output without a name is called by its place', async () => {
    covers('repository.nameless-outputs');
    assert.deepEqual((await names(server, 'nameless')).outputs, ['out_0']);
  });

  test('mapped names are those of clients', async () => {
    covers('repository.mapping');
    assert.deepEqual(await names(server, 'mapped'), { inputs: ['in'], outputs: ['out'] });
    const body = { inputs: { in: ZEROS.instances } };
    const { text } = await restCall(server.restPort, 'POST', '/v1/models/mapped:predict', body);
    assert.match(text, /"outputs"/);
    const unmapped = await restCall(server.restPort, 'POST', '/v1/models/mapped:predict', { inputs: { b: [[0]] } });
    assert.match(unmapped.text, /Missing input with specific name - Required input: in/);
  });

  test('directories that are no version are skipped with a warning', async () => {
    covers('repository.version-directories', 'repository.version-prefix');
    assert.deepEqual(await states(server, 'versions'), ['1 AVAILABLE']);
    for (const name of ['0', '-2', 'text', '3abc']) {
      const text = `Expected version directory name to be a positive integer, received "${name}"`;
      assert.ok(
        server.lines.some((line) => line.includes('[warning]') && line.includes(text)),
        text,
      );
    }
  });

  test('a model without versions is there, with a warning', async () => {
    covers('repository.no-versions');
    assert.deepEqual(await states(server, 'none'), []);
    assert.ok(server.lines.some((line) => line.includes('[warning]') && line.includes('No version found for model')));
    assert.ok(!server.lines.some((line) => line.includes('loading model: none;')));
  });

  for (const [index, path] of ['../x', 'x/../y', 'x/..'].entries()) {
    test(`the path ${path} is refused`, () => {
      covers('repository.climbing-paths');
      const start = `Error occurred while loading model: climbing${index}; error: The provided base path is invalid or doesn't exists`;
      assert.ok(server.lines.some((line) => line.includes(start) && line.includes(`received "${path}"`)));
    });
  }

  test('weights cut in half fail that version alone, which is served when they are whole', async () => {
    covers('repository.half-weights');
    assert.ok(server.lines.some((line) => line.includes('half; version: 1; error: Model could not be read')));
    assert.deepEqual(await states(server, 'half'), ['1 LOADING']);
    writeDummyModel(repository.path('half', '1'), { addend: 3 });
    await reload();
    assert.equal(await predict(server, 'half'), 3);
  });

  test('a version whose files are still being copied is tried again, and then served', async () => {
    covers('repository.copied-version');
    assert.ok(server.lines.some((line) => line.includes('copying; version: 1; error: File not found or cannot open')));
    assert.deepEqual(await states(server, 'copying'), ['1 LOADING']);
    const whole = readFileSync(repository.path('copying-source', 'model.bin'));
    writeFileSync(repository.path('copying', '1', 'model.bin'), whole.subarray(0, 1));
    await reload();
    assert.deepEqual(await states(server, 'copying'), ['1 LOADING']);
    writeFileSync(repository.path('copying', '1', 'model.bin'), whole);
    await reload();
    assert.equal(await predict(server, 'copying'), 5);
  });

  test('changes inside a version that is loaded are not noticed', async () => {
    covers('repository.changed-version');
    writeDummyModel(repository.path('changing-new'), { addend: 9 });
    for (const name of ['model.xml', 'model.bin']) {
      renameSync(repository.path('changing-new', name), repository.path('changing', '1', name));
    }
    writeFileSync(repository.path('changing', '1', 'mapping_config.json'), '{"inputs": {"b": "other"}}');
    await reload();
    assert.equal(await predict(server, 'changing'), 1);
    assert.deepEqual((await names(server, 'changing')).inputs, ['b']);
  });
});

test('a relative --model_path belongs to the working directory', async () => {
  covers('repository.relative-to-working-directory');
  writeDummyModel(repository.path('relative', '1'));
  const working = process.cwd();
  try {
    process.chdir(dirname(repository.directory));
    const path = relative(process.cwd(), repository.path('relative'));
    await withServerProcess(['--model_name', 'dummy', '--model_path', path], async (server) => {
      assert.equal(await predict(server, 'dummy'), 1);
    });
  } finally {
    process.chdir(working);
  }
});

describe('the cache of compiled models', () => {
  const cache = repository.path('not', 'there', 'yet');

  function config(name: string): string {
    ['plain', 'forbidden', 'auto', 'allowed'].forEach((model, index) =>
      writeDummyModel(repository.path('cached', model, '1'), { addend: 10 + index }),
    );
    const entry = (model: string, settings: object): { name: string; base_path: string } => ({
      name: model,
      base_path: `cached/${model}`,
      ...settings,
    });
    return repository.writeConfig(
      [
        entry('plain', {}),
        entry('forbidden', { allow_cache: false }),
        entry('auto', { shape: 'auto' }),
        entry('allowed', { shape: 'auto', allow_cache: true }),
      ],
      [],
      name,
    );
  }

  function blobs(): Record<string, number> {
    const files = readdirSync(cache).filter((name) => name.endsWith('.blob'));
    return Object.fromEntries(files.map((name) => [name, statSync(`${cache}/${name}`).mtimeMs]));
  }

  test('it is made where --cache_dir says, holds what may be cached, and is what the next start reads', async () => {
    covers('repository.cache-dir', 'repository.cache-auto', 'repository.cache-forbidden');
    const flags = ['--config_path', config('cache.json'), '--cache_dir', cache];
    await withServerProcess(flags, async (server) => {
      await server.line(`Model cache is enabled: ${cache}`);
      assert.equal(await predict(server, 'plain'), 10);
      assert.equal(await predict(server, 'allowed'), 13);
    });
    const written = blobs();
    assert.equal(Object.keys(written).length, 2, 'one of plain, one of allowed');
    await withServerProcess(flags, async (server) => {
      assert.equal(await predict(server, 'plain'), 10);
      assert.equal(await predict(server, 'allowed'), 13);
    });
    // A model that is not found there is compiled and written again.
    assert.deepEqual(blobs(), written);
  });

  test('what is inferred on the event loop is read from it, too', async () => {
    covers('repository.cache-dir');
    const own = repository.path('adaptive-cache');
    const flags = ['--config_path', config('adaptive.json'), '--cache_dir', own, '--node_executor', 'adaptive'];
    const read = (): Record<string, number> =>
      Object.fromEntries(readdirSync(own).map((name) => [name, statSync(`${own}/${name}`).mtimeMs]));
    const ask = (): Promise<void> =>
      withServerProcess([...flags, '--log_level', 'DEBUG'], async (server) => {
        // Compiled a second time, for one thread: for OpenVINO that is the same entry, opened with other properties.
        await server.line('us an inference, inline');
        assert.equal(await predict(server, 'plain'), 10);
      });
    await ask();
    const written = read();
    assert.equal(Object.keys(written).filter((name) => name.endsWith('.blob')).length, 2);
    await ask();
    assert.deepEqual(read(), written);
  });

  test('entries that are broken, or are no entries, cost a compilation and nothing else', async () => {
    covers('repository.cache-dir');
    const own = repository.path('broken-cache');
    const flags = ['--config_path', config('broken.json'), '--cache_dir', own];
    const ask = (): Promise<void> =>
      withServerProcess(flags, async (server) => {
        assert.equal(await predict(server, 'plain'), 10);
        assert.equal(await predict(server, 'allowed'), 13);
      });
    await ask();
    const entries = readdirSync(own).map((name) => `${own}/${name}`);
    const whole = entries.map((path) => readFileSync(path));
    const spoil: readonly ((path: string, bytes: Buffer) => void)[] = [
      (path) => writeFileSync(path, 'no compiled model'),
      (path, bytes) => truncateSync(path, Math.floor(bytes.length / 2)),
      // Another version of OpenVINO, or another machine, left it: the header says so.
      (path, bytes) =>
        writeFileSync(path, Buffer.from(bytes.toString('latin1').replace(/20\d\d\./g, '1999.'), 'latin1')),
      (path) => {
        rmSync(path);
        mkdirSync(path);
      },
    ];
    for (const [index, break_] of spoil.entries()) {
      entries.forEach((path, at) => {
        rmSync(path, { recursive: true, force: true });
        writeFileSync(path, whole[at]!);
        break_(path, whole[at]!);
      });
      await assert.doesNotReject(ask, `way ${index}`);
    }
  });

  test('a directory that cannot be written only warns', async () => {
    covers('repository.cache-unwritable');
    const file = repository.write('file', '');
    const flags = ['--config_path', config('no-cache.json'), '--cache_dir', `${file}/cache`];
    await withServerProcess(flags, async (server) => {
      const line = await server.line('Model cache is off');
      assert.match(line, /\[warning\]/);
      assert.equal(await predict(server, 'plain'), 10);
    });
  });
});
