import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type * as published from 'openvino-node';
import ts from 'typescript';

import {
  addon,
  type CompiledModel,
  type Core,
  type InferRequest,
  type Output,
  type PartialShape,
  type Tensor,
} from '#src/openvino/index.js';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const place = join(repository, 'test', 'unit', 'openvino', 'compiled-by-the-test.ts');
const preamble = `import { addon as ov } from 'openvino-node';
declare const core: ReturnType<typeof makeCore>; function makeCore() { return new ov.Core(); }
declare const model: ReturnType<typeof core.compileModelSync>;
declare const request: ReturnType<typeof model.createInferRequest>;
`;

/** Messages of the compiler about a program that stands in the folder of this test and imports the facade for openvino-node. */
function faults(source: string): string[] {
  const text = source.replaceAll("'openvino-node'", "'#src/openvino/index.js'");
  const config = ts.getParsedCommandLineOfConfigFile(
    join(repository, 'test', 'tsconfig.json'),
    { noEmit: true, composite: false, incremental: false },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) =>
        assert.fail(ts.flattenDiagnosticMessageText(messageText, ' ')),
    },
  )!;
  const host = ts.createCompilerHost(config.options);
  const real = { ...host };
  host.fileExists = (file) => file === place || real.fileExists(file);
  host.readFile = (file) => (file === place ? text : real.readFile(file));
  host.getSourceFile = (file, version) =>
    file === place ? ts.createSourceFile(file, text, version) : real.getSourceFile(file, version);
  const program = ts.createProgram([place], config.options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

test('types: a program written for openvino-node compiles against the facade when its import is changed', () => {
  const program = readFileSync(join(repository, 'test', 'unit', 'openvino', 'user-program.ts'), 'utf8');
  assert.deepEqual(faults(program), []);
});

test('types: what is not offered is absent', () => {
  const absent: readonly [statement: string, name: string][] = [
    ["core.readModelSync('model.xml');", 'readModelSync'],
    ["core.importModelSync(Buffer.alloc(0), 'CPU');", 'importModelSync'],
    ["core.setProperty({ CACHE_DIR: '' });", 'setProperty'],
    ["core.getVersions('CPU');", 'getVersions'],
    ['model.exportModelSync();', 'exportModelSync'],
    ["model.getProperty('NUM_STREAMS');", 'getProperty'],
    ['new ov.AsyncInferQueue(model);', 'AsyncInferQueue'],
    ['new ov.preprocess.PrePostProcessor();', 'preprocess'],
    ['new ov.Tensor(ov.element.string, [1]);', 'string'],
  ];
  const found = faults(preamble + absent.map(([statement]) => statement).join('\n'));
  assert.equal(found.length, absent.length, found.join('\n'));
  for (const [index, [, name]] of absent.entries())
    assert.match(found[index]!, new RegExp(`'${name}' does not exist on type`));
});

test('types: wrong arguments do not compile', () => {
  const statements = [
    "new ov.Tensor(['a text']);",
    "new ov.Tensor('f31', [1]);",
    "request.setInputTensor('b');",
    'request.infer(new Float32Array(10));',
    "core.compileModel('model.xml');",
    'new ov.CompiledModel();',
  ];
  const found = faults(preamble + statements.join('\n'));
  assert.equal(found.length, statements.length, found.join('\n'));
});

// Compiled, never called: functions that take openvino-node's own types, and what the facade must satisfy.
export const publishedTypes = {
  /** Instances, without the construct signature that openvino-node's interfaces carry for their classes. */
  tensor: (tensor: Tensor): Pick<published.Tensor, keyof published.Tensor> => tensor,
  partialShape: (shape: PartialShape): Pick<published.PartialShape, keyof published.PartialShape> => shape,
  output: (output: Output): Pick<published.Output, Exclude<keyof published.Output, 'getPartialShape'>> => output,
  core: (core: Core): Pick<published.Core, 'addExtension' | 'getAvailableDevices'> => core,

  /** The facade takes what openvino-node's types describe. */
  takesTensors: (request: InferRequest, tensor: published.Tensor): void => {
    request.setTensor('b', tensor);
    request.setInputTensor(0, tensor);
    request.infer({ b: tensor });
    request.infer([Float32Array.of(1)]);
    void request.inferAsync([tensor]);
  },
  takesOutputs: (request: InferRequest, output: published.Output): Tensor => request.getTensor(output),

  /** Every method that both have can be called with the published arguments. */
  inferArguments: (request: InferRequest, ...given: Parameters<published.InferRequest['inferAsync']>): unknown =>
    request.inferAsync(...given),
  compileArguments: (core: Core, ...given: Parameters<published.Core['compileModel']>): unknown =>
    core.compileModel(...given),
  indexArguments: (model: CompiledModel, ...given: Parameters<published.CompiledModel['input']>): Output =>
    model.input(...given),
  version: (): published.Version => addon.getOpenvinoVersion(),
};
