import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';

import type { CustomNodePort } from '#src/native/binding.js';
import { customNodeSignature } from '#src/nodes/custom/custom-node-signature.js';

const port = (name: string, ...dimensions: number[]): CustomNodePort => ({ name, precision: 'FP32', dimensions });

test('custom node signature: a dimension of 0 may be any, and the layout is unknown', () => {
  covers('pipelines.metadata-custom');
  assert.deepEqual(customNodeSignature({ inputs: [port('image', 0, 3)], outputs: [port('b', 1), port('a', 2)] }), {
    inputs: [
      {
        name: 'image',
        precision: 'FP32',
        shape: [
          { min: 0, max: Infinity },
          { min: 3, max: 3 },
        ],
        layout: '...',
      },
    ],
    outputs: [
      { name: 'b', precision: 'FP32', shape: [{ min: 1, max: 1 }], layout: '...' },
      { name: 'a', precision: 'FP32', shape: [{ min: 2, max: 2 }], layout: '...' },
    ],
  });
});

test('custom node signature: a name twice is refused, and told where', () => {
  const twice = [port('image', 1), port('image', 2)];
  assert.throws(() => customNodeSignature({ inputs: twice, outputs: [port('a', 1)] }), {
    code: 'CUSTOM_NODE_METADATA_FAILED',
    detail: 'getInputsInfo[1]: expected a name of its own, received image again',
  });
  assert.throws(() => customNodeSignature({ inputs: [port('image', 1)], outputs: twice }), /getOutputsInfo\[1\]/);
  assert.ok(customNodeSignature({ inputs: [port('image', 1)], outputs: [port('image', 1)] }));
});
