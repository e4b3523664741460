import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writeDummyModel, writeMisplacingModel, writeReshapeModel } from '../fixtures/ir.js';
import type { RowId } from '../contract/rows/index.js';
import { addDummy, assertServes } from '../helpers/dummy-servables.js';
import { FourApis, type Answers, type Question } from '../helpers/four-apis.js';
import { modelNode, node, pipeline, TestRepository, type Pipeline } from '../helpers/repository.js';
import { startServerProcess, type ServerProcess } from '../helpers/server.js';
import { floatTensor } from '../helpers/tensors.js';

const THROWING = `
export const inputs = () => [{ name: 'x', precision: 'FP32', shape: [1, -1] }];
export const outputs = () => [{ name: 'y', precision: 'FP32', shape: [1, -1] }];
export function execute() { throw new RangeError('no such crop'); }
`;

let server: ServerProcess;
let apis: FourApis;

before(async () => {
  const repository = new TestRepository();
  writeReshapeModel(repository.path('reshape', '1'));
  writeMisplacingModel(repository.path('misplacing', '1'));
  writeDummyModel(repository.path('any', '1'), { shape: [1, -1] });
  writeDummyModel(repository.path('four', '1'), { shape: [1, 4] });
  writeDummyModel(repository.path('rows', '1'), { shape: [-1, 1, 4] });
  repository.write('throws.mjs', THROWING);
  const models = ['reshape', 'misplacing', 'any', 'four', 'rows'].map((name) => ({ name }));
  const over = (name: string, model: string, more: Partial<Pipeline> = {}): Pipeline =>
    pipeline(name, ['b'], [modelNode('node', model, { b: 'request.b' }, ['a'])], { a: 'node.a' }, more);
  const chain = (name: string, first: string, demultiply_count?: number): Pipeline => {
    const more = demultiply_count === undefined ? {} : { demultiply_count };
    const nodes = [
      modelNode('first', first, { b: 'request.b' }, ['a'], more),
      modelNode('second', 'four', { b: 'first.a' }, ['a']),
    ];
    return pipeline(name, ['b'], nodes, { a: 'second.a' });
  };
  const throwing = node('bad', { x: 'request.b' }, ['y'], { type: 'js', module: 'throws.mjs' });
  const config = repository.writeConfig(
    [addDummy(repository), ...models],
    [
      over('reshape_pipeline', 'reshape'),
      over('misplacing_pipeline', 'misplacing'),
      over('sharded', 'four', { demultiply_count: -1 }),
      chain('misfit', 'any'),
      chain('three_shards', 'rows', 3),
      pipeline('throwing', ['b'], [throwing], { a: 'bad.y' }),
    ],
  );
  server = await startServerProcess(['--config_path', config]);
  await server.line('ServableManagerModule started');
  apis = new FourApis(server);
});

after(async () => {
  apis.close();
  assert.equal(await server.stop(), 0);
});

interface Failure {
  readonly title: string;
  readonly covers: RowId | readonly RowId[];
  readonly servable: string;
  readonly shape: readonly number[];
  /** Opening words of each answer. */
  readonly answers: Answers;
}

const unknown = (text: string): Answers => ({
  tfs: `UNKNOWN Unknown error - ${text}`,
  rest: `500 ${text}`,
  kserve: `UNKNOWN Unknown error - ${text}`,
  infer: `500 ${text}`,
});
const known = (code: string, status: number, text: string): Answers => ({
  tfs: `${code} ${text}`,
  rest: `${status} ${text}`,
  kserve: `${code} ${text}`,
  infer: `${status} ${text}`,
});
const NO_CONTENT = 'ABORTED Pipeline execution aborted due to no content from custom node';

const FAILURES: readonly Failure[] = [
  {
    title: 'a shape that the model refuses',
    covers: 'errors.auto-shape',
    servable: 'reshape',
    shape: [3],
    answers: known('FAILED_PRECONDITION', 412, 'Model could not be reshaped with requested shape'),
  },
  {
    title: 'a shape that the model of a node refuses',
    covers: 'errors.auto-shape',
    servable: 'reshape_pipeline',
    shape: [3],
    answers: known('FAILED_PRECONDITION', 412, 'Model could not be reshaped with requested shape'),
  },
  {
    title: 'an inference that fails',
    covers: 'errors.inference',
    servable: 'misplacing',
    shape: [3],
    answers: known('INTERNAL', 500, 'Internal inference error'),
  },
  {
    title: 'an inference that fails in a pipeline',
    covers: 'errors.inference',
    servable: 'misplacing_pipeline',
    shape: [3],
    answers: known('INTERNAL', 500, 'Internal inference error'),
  },
  {
    title: 'a tensor that does not fit the next node',
    covers: 'errors.node-shape',
    servable: 'misfit',
    shape: [1, 3],
    answers: known(
      'INVALID_ARGUMENT',
      400,
      'Invalid input shape - Node: second input: b Invalid shape - Expected: (1,4); Actual: (1,3)',
    ),
  },
  {
    title: 'a request without shards',
    covers: ['errors.no-shards', 'tfs-rest.no-shards'],
    servable: 'sharded',
    shape: [0, 1, 4],
    // JSON cannot say what is inside a dimension of 0, except flat.
    answers: { tfs: NO_CONTENT, kserve: NO_CONTENT, infer: '204' },
  },
  {
    title: 'a node without shards',
    covers: ['errors.shards', 'errors.unknown'],
    servable: 'three_shards',
    shape: [0, 1, 4],
    answers: {
      tfs: 'UNKNOWN Unknown error - Wrong dimension size. Should match demultiply count',
      kserve: 'UNKNOWN Unknown error - Wrong dimension size. Should match demultiply count',
      infer: '500 Wrong dimension size. Should match demultiply count',
    },
  },
  {
    title: 'another number of shards than the configuration says',
    covers: 'errors.shards',
    servable: 'three_shards',
    shape: [2, 1, 4],
    answers: unknown('Wrong dimension size. Should match demultiply count'),
  },
  {
    title: 'more than 10,000 shards',
    covers: 'errors.shards',
    servable: 'sharded',
    shape: [10_001, 1, 4],
    answers: unknown('Too large dynamic demultiplication requested.'),
  },
  {
    title: 'a custom node that fails',
    covers: 'errors.custom-node',
    servable: 'throwing',
    shape: [1, 4],
    answers: unknown('Custom node failed during execution'),
  },
];

for (const { title, servable, shape, answers } of FAILURES) {
  test(`${title} is told by every API, and the server goes on`, async () => {
    const received = await apis.ask(servable, zeros(shape));
    for (const [api, opening] of Object.entries(answers)) {
      const answer = received[api as keyof Answers]!;
      assert.ok(answer.startsWith(opening), `${api}: ${answer}`);
    }
    await assertServes(server);
  });
}

/** A request for zeros of a shape. */
function zeros(shape: readonly number[]): Question {
  const count = shape.reduce((product, size) => product * size, 1);
  const tensor = floatTensor('b', shape, Array<number>(count).fill(0));
  const head = { name: 'b', datatype: 'FP32', shape: [...shape] };
  return {
    tfs: [tensor],
    ...(count === 0 ? {} : { rest: { inputs: { b: nested(shape) } } }),
    kserve: { inputs: [head], raw_input_contents: [tensor.bytes] },
    infer: { inputs: [{ ...head, data: Array<number>(count).fill(0) }] },
  };
}

function nested([size = 0, ...inner]: readonly number[]): unknown[] {
  return Array.from({ length: size }, () => (inner.length === 0 ? 0 : nested(inner)));
}
