import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CompiledModelHandle } from '#src/native/binding.js';
import { elementArray, elementOf, isNumeric, type NumericPrecision } from '#src/tensors/elements.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import { IrGraph, type Source } from '../fixtures/ir.js';
import {
  constant,
  RESIZE,
  tensor,
  writeOperationModel,
  writeResizeInLoopModel,
  type OperationInput,
} from '../fixtures/operations.js';
import { binding, compile, COMPILES, newSlab, temporaryDirectory, TestRequest, type Outcome } from './support.js';

/** A model of fixed inputs which learns shapes from their values, and what it makes of them. */
interface Case {
  readonly title: string;
  readonly write: (directory: string, name: string) => string;
  readonly inputs: readonly OperationInput[];
  readonly good: readonly (readonly number[])[];
  /** Of the first output. */
  readonly shape: readonly number[];
  readonly answer: readonly number[];
  /** Values that OpenVINO refuses while it infers. */
  readonly bad: readonly (readonly number[])[];
}

const f32 = (...shape: number[]): OperationInput => tensor('f32', ...shape);
const i64 = (...shape: number[]): OperationInput => tensor('i64', ...shape);
const ONE_TO = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

interface Values {
  readonly good: Case['good'];
  readonly gives: readonly [shape: readonly number[], answer: readonly number[]];
  readonly bad: Case['bad'];
}

function operation(
  [type, version]: readonly [string, string],
  attributes: Readonly<Record<string, string>>,
  inputs: readonly OperationInput[],
  { good, gives: [shape, answer], bad }: Values,
): Case {
  const outputs = type === 'TopK' ? 2 : type === 'Split' || type === 'VariadicSplit' ? 2 : 1;
  const write = (directory: string, name: string): string =>
    writeOperationModel(directory, name, { type, version, attributes, inputs, outputs });
  return {
    title: type,
    write,
    inputs: inputs.filter((input) => input.constant === undefined),
    good,
    shape,
    answer,
    bad,
  };
}

function graph(
  title: string,
  inputs: readonly OperationInput[],
  build: (graph: IrGraph, inputs: readonly Source[]) => Source,
  { good, gives: [shape, answer], bad }: Values,
): Case {
  const write = (directory: string, name: string): string => {
    const whole = new IrGraph(name);
    const parameters = inputs.map(({ elementType, shape: size }, index) =>
      whole.parameter(`in_${index}`, elementType, size),
    );
    whole.result(build(whole, parameters));
    return whole.write(directory, name);
  };
  return { title, write, inputs, good, shape, answer, bad };
}

const WINDOWS = { strides: '1,1', pads_begin: '0,0', pads_end: '0,0' };
const AXES = constant('i64', [4], 0, 1, 2, 3);
/** Each of four pixels becomes two by two. */
const DOUBLED = [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4];
const ones = (whole: IrGraph, ...shape: number[]): Source =>
  whole.constant(
    'f32',
    shape,
    new Uint8Array(new Float32Array(shape.reduce((all, size) => all * size, 1)).fill(1).buffer),
  );
const tile = (whole: IrGraph, [data, times]: readonly Source[]): Source =>
  whole.operation('Tile', 'opset1', {}, [data!, times!])[0]!;
const reshape = (whole: IrGraph, [data, shape]: readonly Source[]): Source =>
  whole.operation('Reshape', 'opset1', { special_zero: 'false' }, [data!, shape!])[0]!;
const apply = (
  whole: IrGraph,
  type: string,
  attributes: Readonly<Record<string, string>>,
  ...sources: Source[]
): Source => whole.operation(type, 'opset1', attributes, sources)[0]!;

const CASES: readonly Case[] = [
  operation(
    ['Interpolate', 'opset4'],
    { ...RESIZE, shape_calculation_mode: 'sizes' },
    [f32(1, 1, 2, 2), i64(4), constant('f32', [4], 1, 1, 1, 1), AXES],
    { good: [ONE_TO(4), [1, 1, 4, 4]], gives: [[1, 1, 4, 4], DOUBLED], bad: [ONE_TO(4), [2, 3, 4, 4]] },
  ),
  operation(
    ['Interpolate', 'opset11'],
    { ...RESIZE, shape_calculation_mode: 'sizes' },
    [f32(1, 1, 2, 2), i64(4), AXES],
    { good: [ONE_TO(4), [1, 1, 4, 4]], gives: [[1, 1, 4, 4], DOUBLED], bad: [ONE_TO(4), [2, 3, 4, 4]] },
  ),
  operation(
    ['Interpolate', 'opset11'],
    { ...RESIZE, shape_calculation_mode: 'scales' },
    [f32(1, 1, 2, 2), f32(4), AXES],
    { good: [ONE_TO(4), [1, 1, 2, 2]], gives: [[1, 1, 4, 4], DOUBLED], bad: [ONE_TO(4), [2, 2, 2, 2]] },
  ),
  graph(
    'Convolution of a Tile',
    [f32(1, 2, 1, 2), i64(4)],
    (whole, inputs) =>
      apply(whole, 'Convolution', { ...WINDOWS, dilations: '1,1' }, tile(whole, inputs), ones(whole, 1, 2, 1, 1)),
    {
      good: [ONE_TO(4), [1, 1, 1, 2]],
      gives: [
        [1, 1, 1, 4],
        [4, 6, 4, 6],
      ],
      bad: [ONE_TO(4), [1, 2, 1, 2]],
    },
  ),
  graph(
    'GroupConvolution of a Tile',
    [f32(1, 2, 1, 2), i64(4)],
    (whole, inputs) =>
      apply(
        whole,
        'GroupConvolution',
        { ...WINDOWS, dilations: '1,1' },
        tile(whole, inputs),
        ones(whole, 2, 1, 1, 1, 1),
      ),
    {
      good: [ONE_TO(4), [1, 1, 1, 2]],
      gives: [
        [1, 2, 1, 4],
        [1, 2, 1, 2, 3, 4, 3, 4],
      ],
      bad: [ONE_TO(4), [1, 2, 1, 2]],
    },
  ),
  graph(
    'ConvolutionBackpropData of a Tile',
    [f32(1, 2, 1, 2), i64(4)],
    (whole, inputs) =>
      apply(
        whole,
        'ConvolutionBackpropData',
        { ...WINDOWS, dilations: '1,1' },
        tile(whole, inputs),
        ones(whole, 2, 1, 1, 1),
      ),
    {
      good: [ONE_TO(4), [1, 1, 1, 2]],
      gives: [
        [1, 1, 1, 4],
        [4, 6, 4, 6],
      ],
      bad: [ONE_TO(4), [1, 2, 1, 2]],
    },
  ),
  graph(
    'MaxPool of a Reshape',
    [f32(1, 1, 2, 2), i64(4)],
    (whole, inputs) =>
      apply(
        whole,
        'MaxPool',
        { ...WINDOWS, kernel: '2,2', rounding_type: 'floor', auto_pad: 'explicit' },
        reshape(whole, inputs),
      ),
    { good: [ONE_TO(4), [1, 1, 2, 2]], gives: [[1, 1, 1, 1], [4]], bad: [ONE_TO(4), [1, 1, 1, 4]] },
  ),
  graph(
    'MatMul of a Tile',
    [f32(2, 2), i64(2)],
    (whole, inputs) =>
      apply(whole, 'MatMul', { transpose_a: 'false', transpose_b: 'false' }, tile(whole, inputs), inputs[0]!),
    {
      good: [ONE_TO(4), [2, 1]],
      gives: [
        [4, 2],
        [7, 10, 15, 22, 7, 10, 15, 22],
      ],
      bad: [ONE_TO(4), [1, 2]],
    },
  ),
  graph(
    'Add of a Tile',
    [f32(1, 2), i64(2)],
    (whole, inputs) => apply(whole, 'Add', { auto_broadcast: 'numpy' }, tile(whole, inputs), ones(whole, 2, 2)),
    {
      good: [
        [1, 2],
        [2, 1],
      ],
      gives: [
        [2, 2],
        [2, 3, 2, 3],
      ],
      bad: [
        [1, 2],
        [3, 1],
      ],
    },
  ),
  graph(
    'Concat with a Tile',
    [f32(1, 2), i64(2)],
    (whole, inputs) => apply(whole, 'Concat', { axis: '0' }, tile(whole, inputs), ones(whole, 1, 2)),
    {
      good: [
        [3, 2],
        [2, 1],
      ],
      gives: [
        [3, 2],
        [3, 2, 3, 2, 1, 1],
      ],
      bad: [
        [3, 2],
        [1, 2],
      ],
    },
  ),
  graph(
    'Reshape after NonZero',
    [f32(4), i64(2)],
    (whole, [data, shape]) =>
      reshape(whole, [whole.operation('NonZero', 'opset3', { output_type: 'i64' }, [data!])[0]!, shape!]),
    {
      good: [
        [1, 0, 5, 0],
        [2, 1],
      ],
      gives: [
        [2, 1],
        [0, 2],
      ],
      bad: [
        [1, 0, 5, 0],
        [5, 7],
      ],
    },
  ),
  operation(['Reshape', 'opset1'], { special_zero: 'false' }, [f32(2, 2), i64(2)], {
    good: [ONE_TO(4), [1, 4]],
    gives: [[1, 4], ONE_TO(4)],
    bad: [ONE_TO(4), [5, 7]],
  }),
  operation(['Broadcast', 'opset3'], { mode: 'numpy' }, [f32(2, 1), i64(2)], {
    good: [
      [1, 2],
      [2, 2],
    ],
    gives: [
      [2, 2],
      [1, 1, 2, 2],
    ],
    bad: [
      [1, 2],
      [4, 2],
    ],
  }),
  operation(['Broadcast', 'opset3'], { mode: 'bidirectional' }, [f32(2, 1), i64(2)], {
    good: [
      [1, 2],
      [2, 2],
    ],
    gives: [
      [2, 2],
      [1, 1, 2, 2],
    ],
    bad: [
      [1, 2],
      [4, 2],
    ],
  }),
  operation(['Broadcast', 'opset3'], { mode: 'numpy' }, [constant('f32', [], 7), i64(2)], {
    good: [[1, 2]],
    gives: [
      [1, 2],
      [7, 7],
    ],
    bad: [[-2, 3]],
  }),
  operation(['Pad', 'opset1'], { pad_mode: 'reflect' }, [f32(1, 3), i64(2), i64(2)], {
    good: [ONE_TO(3), [0, 1], [0, 1]],
    gives: [
      [1, 5],
      [2, 1, 2, 3, 2],
    ],
    bad: [ONE_TO(3), [0, 0], [0, 9]],
  }),
  operation(['Slice', 'opset8'], {}, [f32(4), i64(1), i64(1), i64(1)], {
    good: [ONE_TO(4), [1], [3], [1]],
    gives: [[2], [2, 3]],
    bad: [ONE_TO(4), [1], [3], [0]],
  }),
  operation(['OneHot', 'opset1'], { axis: '-1' }, [i64(2), i64(), constant('f32', [], 5), constant('f32', [], 1)], {
    good: [[0, 2], [3]],
    gives: [
      [2, 3],
      [5, 1, 1, 1, 1, 5],
    ],
    bad: [[0, 2], [-2]],
  }),
  operation(['TopK', 'opset3'], { axis: '0', mode: 'max', sort: 'value', index_element_type: 'i64' }, [f32(4), i64()], {
    good: [[3, 9, 1, 4], [2]],
    gives: [[2], [9, 4]],
    bad: [[3, 9, 1, 4], [7]],
  }),
  operation(['VariadicSplit', 'opset1'], {}, [f32(4), constant('i64', [], 0), i64(2)], {
    good: [ONE_TO(4), [3, 1]],
    gives: [[3], [1, 2, 3]],
    bad: [ONE_TO(4), [3, 4]],
  }),
  operation(['Split', 'opset1'], { num_splits: '2' }, [f32(2, 4), i64()], {
    good: [ONE_TO(8), [1]],
    gives: [
      [2, 2],
      [1, 2, 5, 6],
    ],
    bad: [ONE_TO(8), [5]],
  }),
  operation(['Squeeze', 'opset1'], {}, [f32(1, 2, 1), i64(1)], {
    good: [[1, 2], [0]],
    gives: [
      [2, 1],
      [1, 2],
    ],
    bad: [[1, 2], [1]],
  }),
  operation(['Transpose', 'opset1'], {}, [f32(2, 2), i64(2)], {
    good: [ONE_TO(4), [1, 0]],
    gives: [
      [2, 2],
      [1, 3, 2, 4],
    ],
    bad: [ONE_TO(4), [1, 1]],
  }),
  operation(['ReduceSum', 'opset1'], { keep_dims: 'true' }, [f32(2, 2), i64(1)], {
    good: [ONE_TO(4), [1]],
    gives: [
      [2, 1],
      [3, 7],
    ],
    bad: [ONE_TO(4), [7]],
  }),
  operation(
    ['SpaceToBatch', 'opset2'],
    {},
    [f32(1, 1, 2, 2), i64(4), constant('i64', [4], 0, 0, 0, 0), constant('i64', [4], 0, 0, 0, 0)],
    { good: [ONE_TO(4), [1, 1, 2, 1]], gives: [[2, 1, 1, 2], ONE_TO(4)], bad: [ONE_TO(4), [1, 1, 3, 3]] },
  ),
  operation(
    ['BatchToSpace', 'opset2'],
    {},
    [f32(2, 1, 1, 2), i64(4), constant('i64', [4], 0, 0, 0, 0), constant('i64', [4], 0, 0, 0, 0)],
    { good: [ONE_TO(4), [1, 1, 2, 1]], gives: [[1, 1, 2, 2], ONE_TO(4)], bad: [ONE_TO(4), [1, 1, 3, 3]] },
  ),
  operation(['Eye', 'opset9'], { output_type: 'f32' }, [i64(), i64(), constant('i64', [], 0)], {
    good: [[2], [2]],
    gives: [
      [2, 2],
      [1, 0, 0, 1],
    ],
    bad: [[-3], [2]],
  }),
  operation(['EmbeddingSegmentsSum', 'opset3'], {}, [f32(2, 1), i64(2), constant('i64', [2], 0, 1), i64()], {
    good: [[4, 5], [1, 0], [2]],
    gives: [
      [2, 1],
      [5, 4],
    ],
    bad: [[4, 5], [1, 9], [2]],
  }),
  {
    title: 'Interpolate in the body of a loop whose shapes are fixed outside',
    write: writeResizeInLoopModel,
    inputs: [f32(1, 1, 4), f32(1, 1, 1, 1)],
    good: [[1, 1, 3, 3], [2]],
    shape: [1, 1, 1, 1],
    answer: [18],
    bad: [[2, 3, 3, 3], [2]],
  },
];

const directory = temporaryDirectory();
const OUTPUT_AT = 8192;

type Way = (request: TestRequest) => Promise<Outcome>;
const STREAMS = [1, 2].slice(0, COMPILES);
const WAYS: Readonly<Record<string, Way>> = {
  started: (request) => request.start(),
  'on the calling thread': (request) => Promise.resolve(request.infer()),
};

function precisionOf(elementType: string): NumericPrecision {
  const precision = precisionOfElementType(elementType);
  assert.ok(isNumeric(precision));
  return precision;
}

/** An infer request over its own memory, its outputs unbound. */
class Told {
  readonly #slab = newSlab(1 << 14);
  readonly #request: TestRequest;
  readonly #case: Case;
  readonly #output: NumericPrecision;

  constructor(model: CompiledModelHandle, tried: Case) {
    const { outputs } = binding.describeModel(model);
    this.#case = tried;
    this.#output = precisionOf(outputs[0]!.elementType);
    const inputs = tried.inputs.map(({ shape }, index) => ({ slab: this.#slab.id, offset: index * 256, shape }));
    this.#request = new TestRequest(model, ...inputs, ...outputs.map(() => null));
  }

  async answers(way: Way, when: string): Promise<void> {
    const { status, text } = await this.#ask(way, this.#case.good);
    assert.equal(status, 'OK', `${when}: ${text}`);
    assert.deepEqual(this.#request.shape(this.#case.inputs.length), this.#case.shape, when);
    binding.copyOutput(this.#request.handle, 0, this.#slab.id, OUTPUT_AT);
    const elements = elementArray(this.#output, this.#slab.bytes.buffer, OUTPUT_AT, this.#case.answer.length);
    assert.deepEqual(Array.from(elements, Number), this.#case.answer, when);
  }

  async fails(way: Way): Promise<void> {
    const { status, text } = await this.#ask(way, this.#case.bad);
    assert.equal(status, 'INFERENCE_FAILED', text);
  }

  #ask(way: Way, values: Case['good']): Promise<Outcome> {
    this.#case.inputs.forEach(({ elementType }, index) => {
      const precision = precisionOf(elementType);
      const elements = elementArray(precision, this.#slab.bytes.buffer, index * 256, values[index]!.length);
      values[index]!.forEach((value, place) => (elements[place] = elementOf(precision)(value)));
    });
    return way(this.#request);
  }
}

describe('shapes that values tell: a request that fails leaves no other one worse', () => {
  for (const [index, tried] of CASES.entries()) {
    for (const [name, way] of Object.entries(WAYS)) {
      test(`${tried.title}, ${name} (${index})`, async () => {
        const path = tried.write(directory, `case-${index}`);
        for (const streams of STREAMS) {
          const model = compile(path, { properties: { NUM_STREAMS: streams } });
          const [first, second] = [new Told(model, tried), new Told(model, tried)];
          await first.answers(way, 'at first');
          await second.answers(way, 'at first, by another request');
          for (let turn = 0; turn < 2; turn += 1) {
            await first.fails(way);
            await first.answers(way, `after failure ${turn}`);
            await second.answers(way, `after failure ${turn}, by another request`);
            await new Told(model, tried).answers(way, `after failure ${turn}, by a new request`);
          }
          await second.fails(way);
          await new Told(model, tried).answers(way, 'by a new request at once');
        }
      });
    }
  }
});

test('shapes that values tell: of many requests at once only those that are bad fail', async () => {
  const start = WAYS['started']!;
  for (const [index, tried] of CASES.slice(0, 4).entries()) {
    const path = tried.write(directory, `crowd-${index}`);
    for (const streams of STREAMS) {
      const model = compile(path, { properties: { NUM_STREAMS: streams } });
      const requests = Array.from({ length: 16 }, () => new Told(model, tried));
      for (let turn = 0; turn < 3; turn += 1) {
        const asked = requests.map((request, place) =>
          place % 4 === 3 ? request.fails(start) : request.answers(start, `${streams} streams, turn ${turn}`),
        );
        await Promise.all(asked);
      }
    }
  }
});

test('shapes that values tell: inputs keep the sizes that the model says', async () => {
  const tried = CASES[0]!;
  const model = compile(tried.write(directory, 'sizes'));
  const slab = newSlab(4096);
  const request = new TestRequest(
    model,
    { slab: slab.id, offset: 0, shape: [1, 1, 2, 3] },
    { slab: slab.id, offset: 256, shape: [4] },
    null,
  );
  for (const way of Object.values(WAYS)) assert.equal((await way(request)).status, 'BINDING_FAILED');
});
