import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import {
  writeAccumulatorModel,
  writeArgmaxModel,
  writeDummyModel,
  writeHeavyModel,
  writeMaximumModel,
  writeNonZeroModel,
  writeSoftmaxModel,
  writeStringModel,
} from '../../fixtures/ir.js';
import { addDummy, assertServes } from '../../helpers/dummy-servables.js';
import { TestRepository, type Model } from '../../helpers/repository.js';
import { withServerProcess } from '../../helpers/server.js';

const REFUSED: Readonly<Record<string, readonly [(directory: string) => string, string, Partial<Model>?]>> = {
  state: [writeAccumulatorModel, 'expected a model without state'],
  strings: [writeStringModel, 'input b: expected numbers, received strings'],
  scalar: [(directory) => writeDummyModel(directory, { shape: [] }), 'input b: expected a batch dimension'],
  layout: [
    (directory) => writeDummyModel(directory, { shape: [4, 4, 2], layout: 'HWC' }),
    'input b: expected a layout that begins with N, received [H,W,C]',
  ],
  behind: [
    (directory) => writeDummyModel(directory, { shape: [4, 4, 2, 1], layout: 'CHWN' }),
    'input b: expected a layout that begins with N, received [C,H,W,N]',
  ],
  one_for_all: [
    writeMaximumModel,
    'output a: expected a row for each row of the inputs, received the shape [1,1] for 2 rows',
  ],
  positions: [
    (directory) => writeNonZeroModel(directory, { shape: [1, 4] }),
    'output a: expected a row for each row of the inputs',
  ],
  squares: [(directory) => writeHeavyModel(directory, { size: 2, depth: 1 }), ''],
  over_all_rows: [
    (directory) => writeSoftmaxModel(directory, 0),
    'output a: expected rows that do not depend on other rows, received 0.',
  ],
  batches: [
    (directory) => writeArgmaxModel(directory, { classes: 10 }),
    'expected one batch size for all inputs, received 1 and 2',
    { shape: { in1: '(1,10)', in2: '(2,10)' } },
  ],
  small: [
    (directory) => writeDummyModel(directory, { shape: [3, 10] }),
    'expected room for two requests of batch size 3, received a max_batch_size of 4',
  ],
};

test('batching: models that do not allow it do not load and say why; the others are served', async () => {
  covers('scheduling.batching-refused');
  const repository = new TestRepository();
  const models = Object.entries(REFUSED).map(([name, [write, , more]]): Model => {
    write(repository.path(name, '1'));
    return { name, dynamic_batching: { max_batch_size: 4 }, ...more };
  });
  const dummy: Model = { ...addDummy(repository), dynamic_batching: { max_batch_size: 4 } };
  await withServerProcess(['--config_path', repository.writeConfig([...models, dummy])], async (server) => {
    for (const [name, [, reason]] of Object.entries(REFUSED)) {
      const text = `Requests to the model cannot be joined to batches - ${reason}`;
      const line = server.lines.find((each) => each.includes(text) && each.includes(name));
      assert.ok(line !== undefined, `${name}: ${server.lines.filter((each) => each.includes(name)).join('\n')}`);
    }
    await assertServes(server);
  });
});
