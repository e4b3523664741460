import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompiledModelHandle } from '#src/native/binding.js';
import { elementArray, elementOf, isNumeric } from '#src/tensors/elements.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import { encode, IrGraph, writeCountedLoopModel } from '../fixtures/ir.js';
import { writeOperationModel, type Operation, type OperationInput } from '../fixtures/operations.js';
import { binding, compile, newSlab, temporaryDirectory, TestRequest, type Outcome } from './support.js';

const directory = temporaryDirectory();
const slab = newSlab(1 << 16);
/** Bytes between two ports. */
const STEP = 4096;
const OUTPUTS = 1 << 15;

type Values = readonly number[];
interface Sent {
  readonly elementType: string;
  readonly shape: readonly number[];
  readonly values: Values;
}

const floats = (shape: readonly number[], ...values: number[]): Sent => ({ elementType: 'f32', shape, values });
const ints = (shape: readonly number[], ...values: number[]): Sent => ({ elementType: 'i32', shape, values });
const longs = (shape: readonly number[], ...values: number[]): Sent => ({ elementType: 'i64', shape, values });
const count = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
const range = (shape: readonly number[]): Sent => floats(shape, ...Array.from({ length: count(shape) }, (_, at) => at));

function elements(elementType: string, offset: number, length: number) {
  const precision = precisionOfElementType(elementType);
  assert.ok(isNumeric(precision));
  return { array: elementArray(precision, slab.bytes.buffer, offset, length), toElement: elementOf(precision) };
}

/** Each way in which an inference can be asked for. */
const WAYS: Readonly<Record<string, (request: TestRequest) => Promise<Outcome>>> = {
  started: (request) => request.start(),
  'on the calling thread': (request) => Promise.resolve(request.infer()),
};

/** One infer request, whose outputs lie in memory where `POISON` was. */
class Asking {
  readonly #request: TestRequest;

  constructor(
    model: CompiledModelHandle,
    readonly inputs: number,
    readonly outputs: readonly { readonly elementType: string; readonly shape: readonly number[] }[],
    readonly way: (request: TestRequest) => Promise<Outcome>,
  ) {
    this.#request = new TestRequest(model, ...Array<null>(inputs + outputs.length).fill(null));
  }

  async ask(sent: readonly Sent[], shapes = this.outputs.map(({ shape }) => shape)): Promise<Outcome> {
    sent.forEach(({ elementType, shape, values }, input) => {
      const { array, toElement } = elements(elementType, input * STEP, values.length);
      values.forEach((value, index) => (array[index] = toElement(value)));
      this.#request.bind(input, { slab: slab.id, offset: input * STEP, shape });
    });
    slab.bytes.fill(POISON, OUTPUTS);
    shapes.forEach((shape, output) => {
      const place = { slab: slab.id, offset: OUTPUTS + output * STEP, shape };
      this.#request.bind(this.inputs + output, count(shape) === 0 ? null : place);
    });
    return this.way(this.#request);
  }

  /** What lies in the memory of an output. */
  answer(output: number, shape = this.outputs[output]!.shape): number[] {
    const { array } = elements(this.outputs[output]!.elementType, OUTPUTS + output * STEP, count(shape));
    return Array.from(array as ArrayLike<number | bigint>, Number);
  }
}
const POISON = 0x41;

const OK: Outcome = { status: 'OK', text: '' };
function noElements(input: number): Outcome {
  return { status: 'BINDING_FAILED', text: `input ${input}: expected at least one element, received none` };
}

const data = (elementType: string, ...shape: number[]): OperationInput => ({ elementType, shape });
const fixed = (elementType: string, shape: readonly number[], ...constant: number[]): OperationInput => ({
  elementType,
  shape,
  constant,
});
const weights = (...shape: number[]): OperationInput =>
  fixed('f32', shape, ...Array.from({ length: count(shape) }, (_, index) => ((index % 5) - 2) / 4));

/** Recurrent operations over rows and steps of any number, by how many gates and states they have, and their functions. */
const RECURRENT = {
  LSTMSequence: [4, 2, 'sigmoid,tanh,tanh'],
  GRUSequence: [3, 1, 'sigmoid,tanh'],
  RNNSequence: [1, 1, 'tanh'],
} as const;
type Recurrent = keyof typeof RECURRENT;

function writeRecurrentModel(type: Recurrent): string {
  const [gates, states, activations] = RECURRENT[type];
  return writeOperationModel(directory, type, {
    type,
    version: 'opset5',
    attributes: { hidden_size: '3', direction: 'forward', activations },
    inputs: [
      data('f32', -1, -1, 4),
      ...Array.from({ length: states }, () => data('f32', -1, 1, 3)),
      data('i32', -1),
      weights(1, gates * 3, 4),
      weights(1, gates * 3, 3),
      weights(1, gates * 3),
    ],
    outputs: 1 + states,
  });
}

/** @param value of all elements of the states, and of the steps. */
function sentTo(type: Recurrent, rows: number, steps: number, value: number): Sent[] {
  const all = (shape: number[]): Sent => floats(shape, ...Array<number>(count(shape)).fill(value));
  const lengths = ints([rows], ...Array<number>(rows).fill(steps));
  return [all([rows, steps, 4]), ...Array.from({ length: RECURRENT[type][1] }, () => all([rows, 1, 3])), lengths];
}

for (const type of Object.keys(RECURRENT) as Recurrent[]) {
  for (const [title, way] of Object.entries(WAYS)) {
    test(`${type} without steps or rows is refused and not answered with the state of another request, ${title}`, async () => {
      const states = RECURRENT[type][1];
      const outputs = [[2, 1, 3, 3], ...Array<number[]>(states).fill([2, 1, 3])].map((shape) => floats(shape));
      const asking = new Asking(compile(writeRecurrentModel(type)), 2 + states, outputs, way);
      assert.deepEqual(await asking.ask(sentTo(type, 2, 3, 0.5)), OK);
      const state = asking.answer(1);
      for (const [rows, steps] of [
        [2, 0],
        [0, 3],
        [0, 0],
      ] as const) {
        const shapes = [[rows, 1, steps, 3], ...Array<number[]>(states).fill([rows, 1, 3])];
        assert.deepEqual(await asking.ask(sentTo(type, rows, steps, 0.25), shapes), noElements(0));
        assert.notDeepEqual(asking.answer(1), state);
      }
      assert.deepEqual(await asking.ask(sentTo(type, 2, 3, 0.5)), OK);
      assert.deepEqual(asking.answer(1), state);
    });
  }

  test(`${type} of a batch that the configuration opens is not compiled for no rows`, async () => {
    const model = compile(writeRecurrentModel(type), { batch: [0, -1] });
    const states = RECURRENT[type][1];
    const outputs = [[1, 1, 2, 3], ...Array<number[]>(states).fill([1, 1, 3])].map((shape) => floats(shape));
    const asking = new Asking(model, 2 + states, outputs, WAYS['started']!);
    assert.deepEqual(await asking.ask(sentTo(type, 1, 2, 0.5)), OK);
    const none = [[0, 1, 2, 3], ...Array<number[]>(states).fill([0, 1, 3])];
    assert.deepEqual(await asking.ask(sentTo(type, 0, 2, 0.5), none), noElements(0));
    assert.deepEqual(await asking.ask(sentTo(type, 1, 2, 0.5)), OK);
  });
}

for (const type of Object.keys(RECURRENT) as Recurrent[]) {
  test(`${type} of opened shapes takes as many steps as a request says, also none`, async () => {
    const path = writeRecurrentModel(type);
    const states = RECURRENT[type][1];
    const sent = sentTo(type, 2, 3, 0.5);
    const shapes = sent.map(({ shape }, input) => ({
      name: `in_0_${input}`,
      dimensions: shape.map((size): [number, number] => [size, size]),
    }));
    const outputs = [[2, 1, 3, 3], ...Array<number[]>(states).fill([2, 1, 3])].map((shape) => floats(shape));
    const answers = [];
    for (const settings of [{ shapes }, { batch: [0, -1] as const }]) {
      const asking = new Asking(compile(path, settings), 2 + states, outputs, WAYS['started']!);
      assert.deepEqual(await asking.ask(sent), OK);
      const whole = asking.answer(0);
      assert.deepEqual(await asking.ask([...sent.slice(0, -1), ints([2], 1, 0)]), OK);
      const part = asking.answer(0);
      assert.deepEqual(part, [...whole.slice(0, 3), ...Array<number>(15).fill(0)]);
      answers.push(outputs.map((_, output) => asking.answer(output)));
    }
    assert.deepEqual(answers[1], answers[0]);
    const { compiledByShape } = binding.describeModel(compile(path, { batch: [0, -1] }));
    assert.ok(compiledByShape?.startsWith(`${type} `), compiledByShape);
  });
}

test('steps that the model itself takes away are refused with the operation', async () => {
  const graph = new IrGraph('last_steps');
  const steps = graph.parameter('steps', 'f32', [-1, -1, 4]);
  const state = graph.parameter('state', 'f32', [-1, 1, 3]);
  const lengths = graph.parameter('lengths', 'i32', [-1]);
  const place = (at: number) => graph.constant('i64', [1], encode('i64', [at]));
  const later = graph.operation('Slice', 'opset8', {}, [steps, place(2), place(100), place(1), place(1)]);
  const matrix = (...shape: number[]) => graph.zeros(shape);
  const attributes = { hidden_size: '3', direction: 'forward', activations: 'tanh' };
  const inputs = [...later, state, lengths, matrix(1, 3, 4), matrix(1, 3, 3), matrix(1, 3)];
  for (const output of graph.operation('RNNSequence', 'opset5', attributes, inputs, 2)) graph.result(output);
  const outputs = [floats([1, 1, 1, 3]), floats([1, 1, 3])];
  const asking = new Asking(compile(graph.write(directory, 'last_steps')), 3, outputs, WAYS['started']!);
  assert.deepEqual(await asking.ask([range([1, 3, 4]), range([1, 1, 3]), ints([1], 1)]), OK);
  const { status, text } = await asking.ask(
    [range([1, 2, 4]), range([1, 1, 3]), ints([1], 0)],
    [
      [1, 1, 0, 3],
      [1, 1, 3],
    ],
  );
  assert.equal(status, 'RESHAPE_FAILED');
  assert.match(
    text,
    /^\(1,2,4\), \(1,1,3\), \(1\): RNNSequence .*: expected at least one element, received \[1,0,4\]$/,
  );
});

interface Case {
  readonly operation: Operation;
  /** What has an answer with elements. */
  readonly full: readonly Sent[];
  /** Some of it has no elements, the answer has. */
  readonly empty: readonly Sent[];
  readonly shapes: readonly [full: readonly number[], empty: readonly number[]];
}

const WINDOW = { strides: '1,1', dilations: '1,1', pads_begin: '2,2', pads_end: '2,2', auto_pad: 'explicit' };
const PICTURE = data('f32', -1, 2, -1, -1);

function op(
  type: string,
  version: string,
  attributes: Operation['attributes'],
  ...inputs: OperationInput[]
): Operation {
  return { type, version, attributes, inputs };
}

/** Measured: each leaves its output as it was, or ends the process. */
const STARVED: readonly Case[] = [
  {
    operation: op('Convolution', 'opset1', WINDOW, PICTURE, weights(1, 2, 3, 3)),
    full: [range([1, 2, 2, 2])],
    empty: [range([1, 2, 0, 2])],
    shapes: [
      [1, 1, 4, 4],
      [1, 1, 2, 4],
    ],
  },
  {
    operation: op(
      'AvgPool',
      'opset1',
      { ...WINDOW, kernel: '3,3', 'exclude-pad': 'true', rounding_type: 'floor' },
      PICTURE,
    ),
    full: [range([1, 2, 2, 2])],
    empty: [range([1, 2, 0, 2])],
    shapes: [
      [1, 2, 4, 4],
      [1, 2, 2, 4],
    ],
  },
  {
    operation: op('AdaptiveAvgPool', 'opset8', {}, PICTURE, fixed('i64', [2], 2, 2)),
    full: [range([1, 2, 2, 2])],
    empty: [range([1, 2, 0, 2])],
    shapes: [
      [1, 2, 2, 2],
      [1, 2, 2, 2],
    ],
  },
  {
    operation: op(
      'GridSample',
      'opset9',
      { align_corners: 'false', mode: 'bilinear', padding_mode: 'zeros' },
      PICTURE,
      data('f32', -1, -1, -1, 2),
    ),
    full: [range([1, 2, 2, 2]), floats([1, 1, 1, 2], 0, 0)],
    empty: [range([1, 2, 0, 2]), floats([1, 1, 1, 2], 0, 0)],
    shapes: [
      [1, 2, 1, 1],
      [1, 2, 1, 1],
    ],
  },
  {
    operation: op('SearchSorted', 'opset15', { right_mode: 'false' }, data('f32', -1), data('f32', -1)),
    full: [range([3]), range([2])],
    empty: [range([0]), range([2])],
    shapes: [[2], [2]],
  },
  {
    operation: op('Roll', 'opset7', {}, data('f32', -1), data('i64', -1), data('i64', -1)),
    full: [range([4]), longs([1], 1), longs([1], 0)],
    empty: [range([4]), longs([0]), longs([0])],
    shapes: [[4], [4]],
  },
  {
    operation: op(
      'ScaledDotProductAttention',
      'opset13',
      { causal: 'false' },
      ...Array<OperationInput>(3).fill(data('f32', 1, 1, -1, 2)),
    ),
    full: [range([1, 1, 2, 2]), range([1, 1, 2, 2]), range([1, 1, 2, 2])],
    empty: [range([1, 1, 2, 2]), range([1, 1, 0, 2]), range([1, 1, 0, 2])],
    shapes: [
      [1, 1, 2, 2],
      [1, 1, 2, 2],
    ],
  },
];

for (const { operation, full, empty, shapes } of STARVED) {
  test(`${operation.type} is not asked without the elements that it needs`, async () => {
    const model = compile(writeOperationModel(directory, operation.type, operation));
    const asking = new Asking(model, full.length, [floats(shapes[0])], WAYS['started']!);
    assert.deepEqual(await asking.ask(full), OK);
    const input = empty.findIndex(({ shape }) => count(shape) === 0);
    assert.deepEqual(await asking.ask(empty, [shapes[1]]), noElements(input));
    assert.deepEqual(await asking.ask(full), OK);
  });
}

interface Written extends Case {
  readonly answer: Values;
}
const KEEP = { keep_dims: 'true' };
const ROW = floats([1, 2], 5, 7);

const WRITTEN: readonly Written[] = [
  {
    operation: op('ReduceSum', 'opset1', KEEP, data('f32', -1, -1), fixed('i64', [1], 1)),
    full: [range([2, 3])],
    empty: [range([2, 0])],
    shapes: [
      [2, 1],
      [2, 1],
    ],
    answer: [0, 0],
  },
  {
    operation: op('ReduceProd', 'opset1', KEEP, data('f32', -1, -1), fixed('i64', [1], 1)),
    full: [range([2, 3])],
    empty: [range([2, 0])],
    shapes: [
      [2, 1],
      [2, 1],
    ],
    answer: [1, 1],
  },
  {
    operation: op(
      'MatMul',
      'opset1',
      { transpose_a: 'false', transpose_b: 'false' },
      data('f32', -1, -1),
      data('f32', -1, -1),
    ),
    full: [range([2, 3]), range([3, 2])],
    empty: [range([2, 0]), range([0, 2])],
    shapes: [
      [2, 2],
      [2, 2],
    ],
    answer: [0, 0, 0, 0],
  },
  {
    operation: op('Concat', 'opset1', { axis: '0' }, data('f32', -1, 2), data('f32', -1, 2)),
    full: [range([1, 2]), range([1, 2])],
    empty: [range([0, 2]), ROW],
    shapes: [
      [2, 2],
      [1, 2],
    ],
    answer: ROW.values,
  },
  {
    operation: op(
      'ScatterUpdate',
      'opset3',
      {},
      data('f32', -1, 2),
      data('i32', -1),
      data('f32', -1, 2),
      fixed('i64', [], 0),
    ),
    full: [range([1, 2]), ints([1], 0), floats([1, 2], 8, 9)],
    empty: [ROW, ints([0]), range([0, 2])],
    shapes: [
      [1, 2],
      [1, 2],
    ],
    answer: ROW.values,
  },
  {
    operation: op(
      'Bucketize',
      'opset3',
      { output_type: 'i32', with_right_bound: 'true' },
      data('f32', -1, -1),
      data('f32', -1),
    ),
    full: [ROW, range([3])],
    empty: [ROW, range([0])],
    shapes: [
      [1, 2],
      [1, 2],
    ],
    answer: [0, 0],
  },
];

for (const { operation, full, empty, shapes, answer } of WRITTEN) {
  test(`${operation.type} answers rightly where an input has no elements`, async () => {
    const model = compile(writeOperationModel(directory, operation.type, operation));
    const elementType = operation.attributes['output_type'] ?? 'f32';
    const asking = new Asking(model, full.length, [{ elementType, shape: shapes[0] }], WAYS['started']!);
    assert.deepEqual(await asking.ask(full), OK);
    assert.deepEqual(await asking.ask(empty, [shapes[1]]), OK);
    assert.deepEqual(asking.answer(0, shapes[1]), answer);
  });
}

test('a model file whose own shapes leave an operation without elements is not compiled', () => {
  const path = writeOperationModel(
    directory,
    'no_steps',
    op(
      'RNNSequence',
      'opset5',
      { hidden_size: '3', direction: 'forward', activations: 'tanh' },
      data('f32', 1, 0, 4),
      data('f32', 1, 1, 3),
      data('i32', 1),
      weights(1, 3, 4),
      weights(1, 3, 3),
      weights(1, 3),
    ),
  );
  assert.throws(() => compile(path), {
    code: 'COMPILE_FAILED',
    message: /RNNSequence .*: expected at least one element, received \[1,0,4\]/,
  });
});

for (const [title, way] of Object.entries(WAYS)) {
  test(`a loop without rounds collects nothing, whatever the one before has collected, ${title}`, async () => {
    const request = new TestRequest(
      compile(writeCountedLoopModel(directory, { name: 'counted' })),
      null,
      null,
      null,
      null,
      null,
    );
    const ask = async (rounds: number, begins: boolean, first: readonly [number, number]) => {
      slab.longs[0] = BigInt(rounds);
      slab.bytes[STEP] = Number(begins);
      slab.floats.set(first, (2 * STEP) / 4);
      [[], [], [1, 2]].forEach((shape, input) => request.bind(input, { slab: slab.id, offset: input * STEP, shape }));
      request.bind(3, { slab: slab.id, offset: OUTPUTS, shape: [1, 2] }).bind(4, null);
      assert.deepEqual(await way(request), OK);
      return { last: [...slab.floats.subarray(OUTPUTS / 4, OUTPUTS / 4 + 2)], collected: request.shape(4) };
    };
    for (let turn = 0; turn < 2; turn += 1) {
      assert.deepEqual(await ask(2, true, [3, 5]), { last: [12, 20], collected: [2, 2] });
      assert.deepEqual(await ask(0, true, [1, 2]), { last: [1, 2], collected: [0, 2] });
      assert.deepEqual(await ask(3, true, [1, 2]), { last: [8, 16], collected: [3, 2] });
      assert.deepEqual(await ask(3, false, [7, 2]), { last: [7, 2], collected: [0, 2] });
    }
  });
}
