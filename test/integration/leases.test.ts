import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ServingError, type ErrorCode } from '#src/errors.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';
import { loadNativeBinding } from '#src/native/load.js';
import { configureLogging } from '#src/observability/logger.js';
import { writeDummyModel, writeHeavyModel, writeNonZeroModel, writeReshapeModel } from '../fixtures/ir.js';
import { addDummy, DUMMY_INPUT, ONES, pipelineOf } from '../helpers/dummy-servables.js';
import { openInProcessServing, type InProcessServing } from '../helpers/in-process-serving.js';
import { modelNode, node, pipeline, selectNode, source, TestRepository } from '../helpers/repository.js';
import { floatsOf, floatTensor } from '../helpers/tensors.js';

const REQUESTS = 1000;
/** Requests that run side by side. */
const AT_ONCE = 50;

let served: InProcessServing;

before(async () => {
  configureLogging({ level: 'ERROR', path: null });
  served = await openInProcessServing(writeServables(new TestRepository()), false);
});

function writeServables(repository: TestRepository): string {
  const writers = {
    heavy: (directory: string) => writeHeavyModel(directory, { size: 64, depth: 50 }),
    nonzero: writeNonZeroModel,
    reshape: writeReshapeModel,
    shards: (directory: string) => writeDummyModel(directory, { shape: [-1, 1, 10], addend: 0 }),
    three: (directory: string) => writeDummyModel(directory, { precision: 'i64', shape: [1, 3] }),
  };
  for (const [name, write] of Object.entries(writers)) write(repository.path(name, '1'));
  const models = Object.keys(writers).map((name) => ({ name, nireq: 2 }));
  // The first node gives as many positions as there are non-zero elements, the second takes exactly three.
  const misfit = [
    modelNode('nonzero', 'nonzero', { b: 'request.b' }, ['a']),
    modelNode('three', 'three', { b: 'nonzero.a' }, ['a']),
  ];
  // While one branch fails, the other runs.
  const branches = [
    modelNode('reshape', 'reshape', { b: 'request.b' }, ['a']),
    modelNode('heavy', 'heavy', { b: 'request.c' }, ['a']),
    modelNode('nonzero', 'nonzero', { b: 'request.d' }, ['a']),
  ];
  const chain = [
    modelNode('first', 'dummy', { b: 'request.b' }, ['a']),
    modelNode('second', 'dummy', { b: 'first.a' }, ['a']),
  ];
  // Shards of which each takes its own branch; one whose first element is negative takes none, which fails the gather.
  const asks = (is: object) => ({ when: { ...source('split.a'), element: 0, is } });
  const switches = [
    modelNode('split', 'shards', { b: 'request.b' }, ['a'], { demultiply_count: -1 }),
    modelNode('small', 'dummy', { b: 'split.a' }, ['a'], asks({ at_least: 0, less_than: 5 })),
    modelNode('large', 'dummy', { b: 'split.a' }, ['a'], asks({ at_least: 5 })),
    selectNode('either', { small: 'small.a', large: 'large.a' }),
  ];
  // A branch is left behind when the other one has decided.
  const exits = [
    modelNode('decides', 'dummy', { b: 'request.b' }, ['a']),
    modelNode('heavy', 'heavy', { b: 'request.c' }, ['a']),
    modelNode('behind', 'heavy', { b: 'heavy.a' }, ['a']),
  ];
  const nested = [
    node('in', { b: 'request.b' }, ['a', 'between'], { type: 'pipeline', pipeline_name: 'chain' }),
    node('again', { b: 'in.a' }, ['a'], { type: 'pipeline', pipeline_name: 'chain' }),
  ];
  return repository.writeConfig(
    [addDummy(repository), ...models],
    [
      pipelineOf('heavy_pipeline', 'heavy'),
      pipeline('misfit', ['b'], misfit, { a: 'three.a' }),
      pipeline('branches', ['b', 'c', 'd'], branches, { a: 'reshape.a', c: 'heavy.a', d: 'nonzero.a' }),
      pipeline('switches', ['b'], switches, { a: 'either.selected' }),
      pipeline('nested', ['b'], nested, { a: 'again.a', between: 'in.between' }),
      pipeline(
        'exits',
        ['b', 'c'],
        exits,
        { a: 'decides.a', c: 'behind.a' },
        { exit_when: [{ ...source('decides.a'), element: 0, is: { at_least: 2 } }] },
      ),
      pipeline('chain', ['b'], chain, { a: 'second.a', between: 'first.a' }),
    ],
  );
}

const HEAVY = floatTensor('b', [64, 64], Array<number>(4096).fill(0));
const THREE_ONES = [1, 0, 1, 0, 0, 0, 0, 0, 1, 0];
const TEN = floatTensor('b', [10], ONES);

/** A kind of request, and how it may end; `OK` is no error. */
interface Kind {
  readonly request: Uint8Array;
  readonly ends: readonly (ErrorCode | 'OK')[];
  /** When its client leaves: before it is received, at once, or at the next turns of the event loop. */
  readonly leavesAfterTurns?: number;
}

const branches = (reshaped: number): Uint8Array =>
  encodePredictRequest('branches', null, [
    floatTensor('b', [reshaped], Array<number>(reshaped).fill(0)),
    { ...HEAVY, name: 'c' },
    { ...TEN, name: 'd' },
  ]);

const switches = (...firsts: readonly number[]): Uint8Array => {
  const values = firsts.flatMap((first) => [first, ...Array<number>(9).fill(0)]);
  return encodePredictRequest('switches', null, [floatTensor('b', [firsts.length, 1, 10], values)]);
};
const EXITS = encodePredictRequest('exits', null, [DUMMY_INPUT, { ...HEAVY, name: 'c' }]);
const NESTED = encodePredictRequest('nested', null, [DUMMY_INPUT]);

const KINDS: readonly Kind[] = [
  { request: encodePredictRequest('dummy', null, [DUMMY_INPUT]), ends: ['OK'] },
  { request: encodePredictRequest('chain', null, [DUMMY_INPUT]), ends: ['OK'] },
  { request: encodePredictRequest('nonzero', null, [TEN]), ends: ['OK'] },
  { request: encodePredictRequest('heavy', null, [HEAVY]), ends: ['OK'] },
  { request: encodePredictRequest('misfit', null, [{ ...TEN, ...floatTensor('b', [10], THREE_ONES) }]), ends: ['OK'] },
  { request: branches(10), ends: ['OK'] },
  { request: encodePredictRequest('nobody', null, [DUMMY_INPUT]), ends: ['PIPELINE_NAME_MISSING'] },
  { request: encodePredictRequest('dummy', null, []), ends: ['INVALID_NO_OF_INPUTS'] },
  { request: encodePredictRequest('dummy', null, [{ ...DUMMY_INPUT, shape: [1, 11] }]), ends: ['INVALID_SHAPE'] },
  { request: Buffer.from('ffff', 'hex'), ends: ['MESSAGE_MALFORMED'] },
  {
    request: encodePredictRequest('reshape', null, [floatTensor('b', [3], [1, 2, 3])]),
    ends: ['MODEL_RESHAPE_FAILED'],
  },
  { request: encodePredictRequest('misfit', null, [TEN]), ends: ['INVALID_SHAPE'] },
  { request: branches(7), ends: ['MODEL_RESHAPE_FAILED'] },
  { request: switches(0, 7, 3, 9), ends: ['OK'] },
  { request: switches(0, -1, 3), ends: ['GATHER_SHARDS_DIFFER'] },
  { request: switches(), ends: ['NO_CONTENT'] },
  { request: EXITS, ends: ['OK'] },
  { request: NESTED, ends: ['OK'] },
  ...[-1, 0, 1, 2, 5].flatMap((leavesAfterTurns): Kind[] => [
    { request: branches(10), ends: ['OK', 'REQUEST_CANCELLED'], leavesAfterTurns },
    {
      request: encodePredictRequest('heavy_pipeline', null, [HEAVY]),
      ends: ['OK', 'REQUEST_CANCELLED'],
      leavesAfterTurns,
    },
    { request: switches(1, 6), ends: ['OK', 'REQUEST_CANCELLED'], leavesAfterTurns },
    { request: EXITS, ends: ['OK', 'REQUEST_CANCELLED'], leavesAfterTurns },
    { request: NESTED, ends: ['OK', 'REQUEST_CANCELLED'], leavesAfterTurns },
    {
      request: encodePredictRequest('chain', null, [DUMMY_INPUT]),
      ends: ['OK', 'REQUEST_CANCELLED'],
      leavesAfterTurns,
    },
  ]),
];

/** How the request ended. */
async function send({ request, leavesAfterTurns }: Kind): Promise<ErrorCode | 'OK'> {
  const abort = new AbortController();
  const leave = (): void => abort.abort(new ServingError('REQUEST_CANCELLED'));
  if (leavesAfterTurns === -1) leave();
  const answer = served.predict(request, abort.signal);
  // The answer is looked at below; until then a refusal is nobody's fault.
  answer.catch(() => undefined);
  if (leavesAfterTurns !== undefined) {
    for (let turn = 0; turn < leavesAfterTurns; turn += 1) await new Promise(setImmediate);
    leave();
  }
  try {
    await answer;
    return 'OK';
  } catch (error) {
    if (error instanceof ServingError) return error.code;
    throw error;
  }
}

test(`after ${REQUESTS} mixed requests, failures and cancellations among them, every lease is back`, async () => {
  const seen = new Map<string, number>();
  for (let first = 0; first < REQUESTS; first += AT_ONCE) {
    const kinds = Array.from({ length: AT_ONCE }, (_, index) => KINDS[(first + index) % KINDS.length]!);
    const ends = await Promise.all(kinds.map(send));
    ends.forEach((end, index) => {
      assert.ok(kinds[index]!.ends.includes(end), `${end} of request ${first + index}`);
      seen.set(end, (seen.get(end) ?? 0) + 1);
    });
    await served.serving.idle();
    assert.equal(served.arena.leasedRegions, 0);
    assert.equal(loadNativeBinding().inFlight(), 0);
  }
  const expected = new Set(KINDS.flatMap(({ ends }) => ends));
  assert.deepEqual([...seen.keys()].sort(), [...expected].sort());
});

test('pipelines of static shapes take no new memory once they are warm', async () => {
  const requests = [encodePredictRequest('chain', null, [DUMMY_INPUT]), NESTED, switches(1, 6)];
  const round = () => Promise.all(requests.map((request) => served.predict(request)));
  await round();
  const reserved = served.arena.reservedBytes;
  for (let turn = 0; turn < 200; turn += 1) await round();
  assert.equal(served.arena.reservedBytes, reserved);
});

test('afterwards requests are answered right', async () => {
  const outputs = decodePredictResponse(await served.predict(encodePredictRequest('chain', null, [DUMMY_INPUT])));
  assert.deepEqual(floatsOf(outputs.get('between')), ONES);
  assert.deepEqual(
    floatsOf(outputs.get('a')),
    ONES.map((value) => value + 1),
  );
});

test('every infer request is idle: a model that is closed with one in use says so', async () => {
  await served.close();
});
