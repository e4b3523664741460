import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import {
  writeAccumulatorModel,
  writeArgmaxModel,
  writeDummyModel,
  writeHeavyModel,
  writeMaximumModel,
  writeNarrowingModel,
  writeNonZeroModel,
  writeSoftmaxModel,
  writeStringModel,
} from '../../fixtures/ir.js';
import { addDummy, assertServes } from '../../helpers/dummy-servables.js';
import { TestRepository, type Model } from '../../helpers/repository.js';
import { withServerProcess } from '../../helpers/server.js';

const UNJOINED: Readonly<Record<string, readonly [(directory: string) => string, string, Partial<Model>?]>> = {
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
    'answers to joined requests differ from those to single ones',
  ],
  narrowing: [writeNarrowingModel, 'expected operations that answer joined requests as single ones, received Convert '],
  batches: [
    (directory) => writeArgmaxModel(directory, { classes: 10 }),
    'expected one batch size for all inputs, received 1 and 2',
    { shape: { in1: '(1,10)', in2: '(2,10)' } },
  ],
};
const NO_ROOM = 'expected room for two requests of batch size 3, received a max_batch_size of 4';

test('batching: models that do not allow it are served one by one, and the log says why', async () => {
  covers('scheduling.batching-refused');
  const repository = new TestRepository();
  const models = Object.entries(UNJOINED).map(([name, [write, , more]]): Model => {
    write(repository.path(name, '1'));
    return { name, dynamic_batching: { max_batch_size: 4 }, ...more };
  });
  writeDummyModel(repository.path('small', '1'), { shape: [3, 10] });
  const small: Model = { name: 'small', dynamic_batching: { max_batch_size: 4 } };
  const dummy: Model = { ...addDummy(repository), dynamic_batching: { max_batch_size: 4 } };
  const config = repository.writeConfig([...models, small, dummy]);
  await withServerProcess(['--config_path', config], async (server) => {
    const find = (...parts: readonly string[]): boolean =>
      server.lines.some((line) => parts.every((part) => line.includes(part)));
    for (const [name, [, reason]] of Object.entries(UNJOINED)) {
      assert.ok(
        find(`/${name}/1/`, `requests are inferred one by one: ${reason}`),
        `${name}\n${server.lines.join('\n')}`,
      );
      assert.ok(find(`Version 1 of model ${name} status change`, '"AVAILABLE"'), name);
    }
    assert.ok(find('small', `Requests to the model cannot be joined to batches - ${NO_ROOM}`));
    assert.ok(!find('Version 1 of model small status change', '"AVAILABLE"'));
    await assertServes(server);
  });
});
