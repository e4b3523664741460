import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHalf, toHalf, type NodeModule, type Tensor } from 'vinery/node';

test('vinery/node: types a whole module', () => {
  interface Params {
    readonly factor: number;
  }
  const node: NodeModule<{ readonly x: Tensor<'FP16'> }, Params, { calls: number }> = {
    initialize: () => ({ calls: 0 }),
    inputs: () => [{ name: 'x', precision: 'FP16', shape: [1, [1, 8]], layout: 'NC' }],
    outputs: () => [{ name: 'y', precision: 'FP16', shape: [1, -1] }],
    execute({ x }, context) {
      context.state.calls += 1;
      const y = context.allocate<'FP16'>('y', x.shape);
      x.data.forEach((bits, index) => (y.data[index] = toHalf(fromHalf(bits) * context.params.factor)));
      return { y };
    },
  };
  assert.deepEqual(node.initialize!({ factor: 2 }), { calls: 0 });
});
