import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../contract/covers.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { loadNativeBinding } from '#src/native/load.js';
import { configureLogging } from '#src/observability/logger.js';
import { addDummy, addPair, ZEROS } from '../helpers/dummy-servables.js';
import { openInProcessServing, type InProcessServing } from '../helpers/in-process-serving.js';
import { modelNode, pipeline, TestRepository } from '../helpers/repository.js';
import { floatsOf, floatTensor, integersOf } from '../helpers/tensors.js';

const PIPELINES = 200;

configureLogging({ level: 'ERROR', path: null });
const config = writeConfig(new TestRepository());
let served: InProcessServing;

for (const wantsInline of [false, true]) {
  const where = wantsInline ? 'on the event loop' : 'on streams';

  test(`${where}: ${PIPELINES} pipelines at once over one infer request a model all end with right results`, async () => {
    covers('pipelines.no-deadlock', 'pipelines.shared-queue');
    served = await openInProcessServing(config, wantsInline);
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: PIPELINES }, (_, index) => ask(index)));
      answers.forEach((answer, index) => assertRight(answer, index));
      assert.equal(served.arena.leasedRegions, 0);
      assert.equal(loadNativeBinding().inFlight(), 0);
    }
    // Refuses while an infer request is in use.
    await served.close();
  });
}

/** One infer request a model, and the same model in both branches and behind one of them: nodes wait for one another's. */
function writeConfig(repository: TestRepository): string {
  const nodes = [
    modelNode('left', 'dummy', { b: 'request.b' }, ['a']),
    modelNode('right', 'dummy', { b: 'request.c' }, ['a']),
    modelNode('right_again', 'dummy', { b: 'right.a' }, ['a']),
    modelNode('argmax', 'pair', { in1: 'left.a', in2: 'right_again.a' }, ['argmax']),
  ];
  const outputs = { left: 'left.a', right: 'right_again.a', largest: 'argmax.argmax' };
  const models = [addDummy(repository), addPair(repository)].map((model) => ({ ...model, nireq: 1 }));
  return repository.writeConfig(models, [pipeline('diamond', ['b', 'c'], nodes, outputs)]);
}

/** A row of its own for each request, with its largest element at `index % 10`. */
function rowOf(index: number): number[] {
  return ZEROS.map((_, position) => index + (position === index % 10 ? 1000 : 0));
}

function ask(index: number): Promise<Uint8Array> {
  const row = rowOf(index);
  const inputs = [floatTensor('b', [1, 10], row), floatTensor('c', [1, 10], row)];
  return served.predict(encodePredictRequest('diamond', null, inputs));
}

function assertRight(answer: Uint8Array, index: number): void {
  const outputs = decodePredictResponse(answer);
  const row = rowOf(index);
  assert.deepEqual(
    floatsOf(outputs.get('left')),
    row.map((value) => value + 1),
  );
  assert.deepEqual(
    floatsOf(outputs.get('right')),
    row.map((value) => value + 2),
  );
  assert.deepEqual(integersOf(outputs.get('largest')), [index % 10]);
}
