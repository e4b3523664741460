import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addon as ov } from '#src/openvino/index.js';
import { writeArgmaxModel, writeDummyModel, writeNonZeroModel } from '../fixtures/ir.js';
import { floats, numbers, tens } from '../unit/openvino/tensors.js';
import { temporaryDirectory } from './support.js';

const directory = temporaryDirectory();
const core = new ov.Core();
const dummyPath = writeDummyModel(directory, { name: 'dummy' });
const argmax = core.compileModelSync(writeArgmaxModel(directory, { name: 'argmax', classes: 8 }), 'CPU');
const nonZero = core.compileModelSync(writeNonZeroModel(directory, { name: 'nonzero' }), 'CPU');
const dynamic = core.compileModelSync(writeDummyModel(directory, { name: 'dynamic', shape: [-1, 10] }), 'CPU');

test('core: devices and version are those of the runtime', () => {
  assert.ok(core.getAvailableDevices().includes('CPU'));
  const version = ov.getOpenvinoVersion();
  assert.match(version.buildNumber, /^\d{4}\.\d+\.\d+-/);
  assert.deepEqual(Object.keys(version), ['buildNumber', 'description']);
  const [number] = version.buildNumber.split('-');
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- it has a text of its own, which no type tells
  assert.equal(String(version), `OpenVINO Runtime\n    Version : ${number}\n    Build   : ${version.buildNumber}`);
});

test('core: a model compiled in a worker is the model compiled here', async () => {
  const model = await core.compileModel(dummyPath, 'CPU', { NUM_STREAMS: 1 });
  assert.ok(model instanceof ov.CompiledModel);
  assert.deepEqual(numbers(model.createInferRequest().infer([floats(1)])['a']), tens(2));
});

test('core: the event loop goes on while a model is compiled', async () => {
  const order: string[] = [];
  const compiled = core.compileModel(dummyPath, 'CPU').then(() => order.push('compiled'));
  await new Promise((resolve) => setImmediate(resolve));
  order.push('turned');
  await compiled;
  assert.deepEqual(order, ['turned', 'compiled']);
});

test('core: a relative path counts from the working directory', () => {
  const working = process.cwd();
  process.chdir(directory);
  try {
    assert.equal(core.compileModelSync('dummy.xml', 'CPU').inputs.length, 1);
  } finally {
    process.chdir(working);
  }
});

test('core: faults have the codes of the server, here and in a worker', async () => {
  const broken = join(directory, 'broken.xml');
  writeFileSync(broken, '<net');
  const wrong: readonly [path: string, device: string, config: Record<string, string>, code: string, text: RegExp][] = [
    [broken, 'CPU', {}, 'MODEL_READ_FAILED', /^Model could not be read - ./],
    [join(directory, 'nowhere.xml'), 'CPU', {}, 'MODEL_READ_FAILED', /nowhere\.xml/],
    [dummyPath, 'TPU', {}, 'MODEL_COMPILE_FAILED', /TPU/],
    [dummyPath, 'CPU', { NO_SUCH_KEY: 'x' }, 'MODEL_COMPILE_FAILED', /NO_SUCH_KEY/],
  ];
  for (const [path, device, config, code, message] of wrong) {
    assert.throws(() => core.compileModelSync(path, device, config), { name: 'ServingError', code, message });
    await assert.rejects(core.compileModel(path, device, config), { name: 'ServingError', code, message });
  }
});

test('core: an extension that cannot be loaded is named', () => {
  assert.throws(() => core.addExtension(join(directory, 'extension.so')), {
    code: 'EXTENSION_FAILED',
    message: /extension\.so/,
  });
});

test('compiled model: it tells its ports', () => {
  assert.deepEqual([String(argmax.inputs), String(argmax.outputs)], ['in1,in2', 'argmax']);
  assert.deepEqual(argmax.input('in2').getShape(), [1, 8]);
  assert.equal(argmax.input(1), argmax.inputs[1]);
  assert.equal(argmax.output(), argmax.outputs[0]);
  assert.ok(argmax.output() instanceof ov.Output);
  assert.equal(nonZero.output().getPartialShape().toString(), '[1,..10]');
  assert.equal(dynamic.input().getPartialShape().toString(), '[?,10]');
});

test('compiled model: a port that is not there, or one of several, is named', () => {
  const expected = "input: expected one of 0 'in1', 1 'in2', received";
  assert.throws(() => argmax.input(), { name: 'RangeError', message: `${expected} no name and no index` });
  assert.throws(() => argmax.input('in3'), { name: 'RangeError', message: `${expected} in3` });
  assert.throws(() => argmax.input(2), { name: 'RangeError', message: `${expected} 2` });
  assert.throws(() => dynamic.input().shape, {
    message: "the shape of input 'b' is dynamic: [?,10]; use getPartialShape()",
  });
});

test('process: a user program for openvino-node runs on the facade and exits by itself', () => {
  const compiled = new URL('../unit/openvino/user-program.js', import.meta.url);
  const program = join(directory, 'user-program.mjs');
  const facade = import.meta.resolve('#src/openvino/index.js');
  writeFileSync(program, readFileSync(compiled, 'utf8').replaceAll("'openvino-node'", `'${facade}'`));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, dummyPath], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    'OpenVINO Runtime true',
    'b [1,10] true a [1,10] true 1',
    '10 [ 1, 10 ] true true',
    '55',
    '10 [ 1, 10 ]',
    '[ 55, 10 ]',
    "[ 'a 30' ]",
    '[?,1..3] true [ -1, [ 1, 3 ] ]',
  ]);
  assert.equal(status, 0);
});

test('process: it stays until the last asynchronous inference has answered', () => {
  const facade = import.meta.resolve('#src/openvino/index.js');
  const program = `import { Core } from '${facade}';
    const request = new Core().compileModelSync(process.argv[1], 'CPU').createInferRequest();
    request.inferAsync({}).then(({ a }) => console.log(a.data[0]));`;
  const given = ['--input-type=module', '--eval', program, dummyPath];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '1\n', stderr: '' });
});
