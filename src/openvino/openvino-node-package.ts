import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as published from 'openvino-node';

import { ServingError } from '../errors.js';

export const OPENVINO_NODE = 'openvino-node';

/** Instances as openvino-node declares them, without the construct signature that only classes have. */
export type AddonTensor = Pick<published.Tensor, keyof published.Tensor>;

export interface AddonInferRequest {
  inferAsync(inputData: Record<string, AddonTensor> | AddonTensor[]): Promise<unknown>;
  getOutputTensor(index: number): AddonTensor;
}

export interface AddonCompiledModel {
  createInferRequest(): AddonInferRequest;
}

export interface AddonCore {
  compileModel(path: string, device: string, config: Record<string, published.OVAny>): Promise<AddonCompiledModel>;
}

/** The part of openvino-node's `NodeAddon` that inference needs. */
export interface OpenvinoNodeAddon {
  readonly Core: new () => AddonCore;
  readonly Tensor: new (
    type: Exclude<published.elementTypeString, 'string'>,
    shape: number[],
    tensorData?: published.SupportedTypedArray,
  ) => AddonTensor;
}

/**
 * The addon of the installed package, which loads its binary at once.
 *
 * @param packageName the package's name or its folder.
 * @throws ServingError BACKEND_MISSING when the package or its binary is not there or does not load
 */
export function loadOpenvinoNode(packageName: string): OpenvinoNodeAddon {
  const require = createRequire(import.meta.url);
  try {
    return (require(packageName) as typeof published).addon;
  } catch (cause) {
    throw new ServingError('BACKEND_MISSING', describeMissing(require, packageName, cause), { cause });
  }
}

function describeMissing(require: NodeJS.Require, packageName: string, cause: unknown): string {
  let directory: string;
  try {
    directory = dirname(require.resolve(`${packageName}/package.json`));
  } catch {
    return `expected the package ${packageName}, found none where this server is installed: run \`npm install ${OPENVINO_NODE}\``;
  }
  const binary = join(directory, 'bin', 'ov_node_addon.node');
  const text = cause instanceof Error ? cause.message : String(cause);
  const remedy = `run \`npm rebuild ${OPENVINO_NODE} --ignore-scripts=false\`, or use another --backend`;
  if (existsSync(binary)) return `found ${binary}, but it does not load (${text}): ${remedy}`;
  return `expected the binary of ${OPENVINO_NODE} at ${binary}, found no file: ${remedy}`;
}
