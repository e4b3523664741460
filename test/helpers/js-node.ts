import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { ServingError } from '#src/errors.js';
import { describeJsNode } from '#src/nodes/js/describe.js';
import { JsNodes } from '#src/nodes/js/js-nodes.js';
import type { JsNodeLimits } from '#src/nodes/js/limits.js';
import type { NodeInstance, Withdraw } from '#src/nodes/node-instance.js';
import { Arena } from '#src/tensors/arena.js';
import { ELEMENT_BYTES, type Precision } from '#src/tensors/precision.js';
import type { SlabRegistrar } from '#src/tensors/slab-registrar.js';
import { Tensor } from '#src/tensors/tensor.js';
import { FakeRegistrar } from '../unit/tensors/fake-registrar.js';

/** The module of a node among the fixtures, as its author wrote it. */
export function jsNodeFixture(name: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/js-nodes/${name}`, import.meta.url));
}

/** Writes modules into a folder that goes when the tests of the file have run; returns the path of the first. */
export function writeModules(modules: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vinery-node-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(modules)) writeFileSync(join(folder, name), text);
  return join(folder, Object.keys(modules)[0]!);
}

/** A module with one input `x` and one output `y`, both FP32 `[-1]`, around an `execute`. */
export function unaryModule(execute: string, more = ''): string {
  return `
    export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [-1] }];
    export const outputs = () => [{ name: 'y', precision: 'FP32', shape: [-1] }];
    export ${execute.startsWith('async') ? 'async ' : ''}function execute${execute.replace(/^async/, '')}
    ${more}`;
}

export interface Executed {
  readonly error: ServingError | null;
  readonly outputs: readonly (Tensor | null)[] | null;
  readonly micros: number;
  readonly copiedBytes: number;
}

/** Nodes of one owner worker, on the thread of the test. */
export class NodeHost {
  readonly arena: Arena;
  readonly nodes: JsNodes;

  constructor(limits: Partial<JsNodeLimits> = {}, registrar: SlabRegistrar = new FakeRegistrar()) {
    this.arena = new Arena(registrar);
    this.nodes = new JsNodes({ limits });
  }

  async open(module: string, params: unknown = {}, timeoutMs = 60_000): Promise<NodeInstance> {
    return this.nodes.open(await describeJsNode(module, params, timeoutMs), this.arena, 'test');
  }

  tensor(precision: Precision, shape: readonly number[], data: ArrayBufferView): Tensor {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const lease = this.arena.lease(bytes.byteLength);
    this.arena.copyIn(lease, bytes, 'request');
    return new Tensor(precision, shape, lease);
  }

  floats(...numbers: number[]): Tensor {
    return this.tensor('FP32', [numbers.length], Float32Array.from(numbers));
  }
}

export interface Running {
  readonly end: Promise<Executed>;
  readonly withdraw: Withdraw;
}

/** Starts one execution; its inputs are released with its end, once. */
export function start(node: NodeInstance, inputs: readonly Tensor[], wanted: readonly boolean[] = [true]): Running {
  let withdraw!: Withdraw;
  const end = new Promise<Executed>((resolve, reject) => {
    let calls = 0;
    withdraw = node.execute(inputs, wanted, (error, outputs, micros, copiedBytes) => {
      if (++calls > 1) return reject(new Error('done was called twice'));
      for (const input of inputs) input.release();
      resolve({ error, outputs, micros, copiedBytes });
    });
  });
  return { end, withdraw };
}

/** Runs to the end and takes the only output's numbers. */
export async function runFloats(node: NodeInstance, input: Tensor): Promise<number[]> {
  const { error, outputs } = await start(node, [input]).end;
  if (error !== null) throw error;
  const [output] = outputs!;
  const numbers = Array.from(floatsIn(output!));
  output!.release();
  return numbers;
}

export function floatsIn({ lease, byteOffset, byteLength }: Tensor): Float32Array {
  return new Float32Array(lease.buffer, byteOffset, byteLength / ELEMENT_BYTES.FP32);
}
