/** Entry point of the one-off thread in which a node's module is read and asked what it is. */
import { parentPort, workerData } from 'node:worker_threads';

import { collectModuleFiles } from './module-files.js';
import { ModuleFault, textOf } from './module-fault.js';
import { registerSources, sourcesOf } from './module-hooks.js';
import type { JsNodeReference } from './reference.js';
import { parseDeclarations } from './signature.js';
import { importUserModule, type UserModule } from './user-module.js';

export interface DescribeTask {
  readonly module: string;
  readonly params: unknown;
}

export type DescribeReport =
  | { readonly kind: 'described'; readonly description: Pick<JsNodeReference, 'files' | 'digest' | 'signature'> }
  | { readonly kind: 'invalid'; readonly text: string };

async function describe({ module, params }: DescribeTask): Promise<DescribeReport> {
  try {
    const { files, digest } = await collectModuleFiles(module);
    registerSources(sourcesOf(files));
    const signature = await askSignature(await importUserModule(module, files), params);
    return { kind: 'described', description: { files, digest, signature } };
  } catch (thrown) {
    if (!(thrown instanceof ModuleFault)) throw thrown;
    return { kind: 'invalid', text: thrown.message };
  }
}

async function askSignature(functions: UserModule, params: unknown): Promise<JsNodeReference['signature']> {
  const state = await attempt('initialize', () => functions.initialize?.(params));
  const inputs = await attempt('inputs', () => functions.inputs(params, state));
  const outputs = await attempt('outputs', () => functions.outputs(params, state));
  const signature = {
    inputs: parseDeclarations(inputs, 'inputs'),
    outputs: parseDeclarations(outputs, 'outputs'),
  };
  if (functions.deinitialize) await attempt('deinitialize', () => functions.deinitialize?.(state));
  return signature;
}

async function attempt<T>(name: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw new ModuleFault(`${name}() threw: ${textOf(thrown)}`, { cause: thrown });
  }
}

parentPort!.postMessage(await describe(workerData as DescribeTask));
