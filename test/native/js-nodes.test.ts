import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REGION_ALIGNMENT } from '#src/tensors/arena.js';
import type { Tensor } from '#src/tensors/tensor.js';
import { floatsIn, NodeHost, start, writeModules } from '../helpers/js-node.js';
import { binding } from './support.js';

const addressOf = ({ slabId, byteOffset }: Tensor): bigint => binding.slabAddress(slabId, byteOffset);

test('a node and the addon see the same memory: inputs, leased outputs, views and adopted memory', async () => {
  const host = new NodeHost({ threads: 1 }, binding);
  const text = `
    export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [-1] }];
    export const outputs = () => [
      { name: 'fixed', precision: 'FP32', shape: [2] }, { name: 'view', precision: 'FP32', shape: [-1] },
      { name: 'fresh', precision: 'FP32', shape: [-1] },
    ];
    export function execute({ x }, context) {
      const [fixed, fresh] = [context.allocate('fixed'), context.allocate('fresh', [1000])];
      fixed.data.set(x.data.subarray(0, 2));
      fresh.data.fill(x.data[2]);
      return { fixed, view: { shape: [1], data: x.data.subarray(2) }, fresh };
    }`;
  const node = await host.open(writeModules({ 'memory.mjs': text }));
  const addresses = new Set<bigint>();
  for (let round = 0; round < 3; round += 1) {
    const input = host.floats(1, 2, round);
    input.retain(1);
    const { outputs, copiedBytes } = await start(node, [input], [true, true, true]).end;
    const [fixed, view, fresh] = outputs as Tensor[];
    assert.equal(copiedBytes, 0);
    assert.equal(addressOf(fixed!) % BigInt(REGION_ALIGNMENT), 0n);
    assert.equal(addressOf(view!), addressOf(input) + 8n);
    assert.deepEqual(Array.from(floatsIn(fixed!)), [1, 2]);
    assert.deepEqual(Array.from(floatsIn(fresh!)), new Array(1000).fill(round));
    // The addon reads and writes what the thread has allocated.
    host.arena.copyIn(fresh!.lease, new Uint8Array(Float32Array.of(9).buffer), 'request', 4);
    assert.equal(floatsIn(fresh!)[1], 9);
    addresses.add(addressOf(fixed!));
    for (const tensor of [input, ...(outputs as Tensor[])]) tensor.release();
    assert.equal(host.arena.leasedRegions, 0);
  }
  assert.equal(addresses.size, 1, 'a hot node meets the same addresses again');
  await host.nodes.close();
});
