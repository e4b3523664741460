import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { join } from 'node:path';
import type { CompileSpecification } from '#src/native/binding.js';
import { elementArray, elementValue, isNumeric } from '#src/tensors/elements.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import { encode } from '../fixtures/ir.js';
import {
  constant,
  tensor,
  writeOperationModel,
  writeRoundsModel,
  writeTuplesInLoopModel,
  type OperationInput,
} from '../fixtures/operations.js';
import {
  binding,
  compile,
  COMPILES,
  INLINE_PROPERTIES,
  newSlab,
  type Outcome,
  temporaryDirectory,
  TestRequest,
} from './support.js';

/** Values of each parameter, or of each output. */
type Values = readonly (readonly number[])[];

/** An operation that reads where its values say, or goes round as often. */
interface Case {
  readonly title: string;
  readonly parameters: readonly OperationInput[];
  /** Those that are checked, by their places; none where there is no such model without checks. */
  readonly checked: readonly number[];
  /** With values of parameters, those that are checked are constants: then nothing is checked. */
  readonly write: (directory: string, name: string, known?: Values) => string;
  /** Right questions with their answers. */
  readonly good: readonly (readonly [question: Values, answer: Values])[];
  /** Wrong ones with what the refusal says. */
  readonly bad: readonly (readonly [question: Values, text: string])[];
}

interface OperationCase extends Pick<Case, 'checked' | 'good' | 'bad'> {
  readonly type: string;
  readonly version: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Parameters and constants. */
  readonly inputs: readonly OperationInput[];
  readonly outputs?: number;
}

function operation({ type, version, attributes = {}, inputs, checked, outputs = 1, good, bad }: OperationCase): Case {
  const parameters = inputs.filter(({ constant }) => constant === undefined);
  const write = (directory: string, name: string, known?: Values): string => {
    const given = inputs.map((input) => {
      const place = parameters.indexOf(input);
      return known !== undefined && checked.includes(place) ? { ...input, constant: known[place]! } : input;
    });
    return writeOperationModel(directory, name, { type, version, attributes, inputs: given, outputs });
  };
  const types = parameters.map(({ elementType, shape }) => `${elementType}[${shape.join(',')}]`).join(' ');
  return { title: `${type} of ${version} over ${types}`, parameters, checked, write, good, bad };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const PLACES = ['i32', 'i64'] as const;
const EIGHTEEN = upTo(18);
const TWENTY = upTo(20);
const FAR = 1_000_000;

const SPLITS = PLACES.flatMap((places) =>
  ['f32', 'u8'].map((data) =>
    operation({
      type: 'VariadicSplit',
      version: 'opset1',
      inputs: [tensor(data, 6, 3), constant('i64', [], -2), tensor(places, 2)],
      checked: [1],
      outputs: 2,
      good: [
        [
          [EIGHTEEN, [2, 4]],
          [EIGHTEEN.slice(0, 6), EIGHTEEN.slice(6)],
        ],
        [
          [EIGHTEEN, [-1, 5]],
          [EIGHTEEN.slice(0, 3), EIGHTEEN.slice(3)],
        ],
      ],
      bad: [
        [[EIGHTEEN, [-1, 7]], 'expected lengths that make up 6, of which one may be -1, received (-1,7)'],
        [[EIGHTEEN, [3, 4]], 'received (3,4)'],
        [[EIGHTEEN, [-1, -1]], 'received (-1,-1)'],
        [[EIGHTEEN, [8, -2]], 'received (8,-2)'],
      ],
    }),
  ),
);

const TUPLES = PLACES.flatMap((places) =>
  ['opset5', 'opset8'].flatMap((version) => [
    ...['f32', 'u8'].map((data) =>
      operation({
        type: 'GatherND',
        version,
        attributes: { batch_dims: '0' },
        inputs: [tensor(data, 4, 5), tensor(places, 3, 2)],
        checked: [1],
        good: [
          [[TWENTY, [0, 1, 3, 4, 2, 2]], [[1, 19, 12]]],
          [[TWENTY, [-4, -5, -1, -1, 2, 2]], [[0, 19, 12]]],
        ],
        bad: [
          [[TWENTY, [0, 1, 4, 4, 2, 2]], 'expected indices in [-4, 3] along axis 0, received 4'],
          [[TWENTY, [0, 1, 3, -6, 2, 2]], 'expected indices in [-5, 4] along axis 1, received -6'],
          [[TWENTY, [0, FAR, 3, 4, 2, 2]], `received ${FAR}`],
          [[TWENTY, [0, 1, 3, 4, -FAR, 2]], `received ${-FAR}`],
        ],
      }),
    ),
    operation({
      type: 'GatherND',
      version,
      attributes: { batch_dims: '1' },
      inputs: [tensor('f32', 2, 5), tensor(places, 2, 1)],
      checked: [1],
      good: [[[TWENTY.slice(0, 10), [4, -1]], [[4, 9]]]],
      bad: [[[TWENTY.slice(0, 10), [0, 5]], 'expected indices in [-5, 4] along axis 1, received 5']],
    }),
  ]),
);

const STEPS = PLACES.flatMap((type) =>
  (
    [
      ['opset1', {}],
      ['opset4', { output_type: type }],
    ] as const
  ).map(([version, attributes]) =>
    operation({
      type: 'Range',
      version,
      attributes,
      inputs: [tensor(type), tensor(type), tensor(type)],
      checked: [2],
      good: [
        [[[0], [9], [2]], [[0, 2, 4, 6, 8]]],
        [[[3], [0], [-1]], [[3, 2, 1]]],
      ],
      bad: [[[[0], [9], [0]], 'expected steps other than 0 in 32 bits, received 0']],
    }),
  ),
);

const OTHERS = PLACES.flatMap((places) => [
  operation({
    type: 'Gather',
    version: 'opset8',
    attributes: { batch_dims: '0' },
    inputs: [tensor('i64', 4), tensor(places, 1), constant('i64', [], 0)],
    checked: [1],
    good: [[[[5, 6, 7, 8], [-1]], [[8]]]],
    bad: [[[[5, 6, 7, 8], [FAR]], `expected indices in [-4, 3] along axis 0, received ${FAR}`]],
  }),
  ...['opset3', 'opset12'].map((version) =>
    operation({
      type: 'ScatterElementsUpdate',
      version,
      inputs: [tensor('f32', 4, 2), tensor(places, 1, 2), tensor('f32', 1, 2), constant('i64', [], 0)],
      checked: [1],
      good: [[[upTo(8), [3, -4], [8, 9]], [[0, 9, 2, 3, 4, 5, 8, 7]]]],
      bad: [[[upTo(8), [0, -FAR], [8, 9]], `expected indices in [-4, 3] along axis 0, received ${-FAR}`]],
    }),
  ),
  operation({
    type: 'ScatterElementsUpdate',
    version: 'opset3',
    inputs: [tensor('f32', 4, 2), tensor(places, 1, 2), tensor('f32', 1, 2), tensor(places)],
    checked: [1, 3],
    good: [[[upTo(8), [1, 0], [8, 9], [1]], [[9, 8, 2, 3, 4, 5, 6, 7]]]],
    bad: [[[upTo(8), [0, -FAR], [8, 9], [1]], `expected indices in [-2, 1] along axis 1, received ${-FAR}`]],
  }),
  operation({
    type: 'TopK',
    version: 'opset11',
    attributes: { axis: '-1', mode: 'max', sort: 'value', index_element_type: 'i64', stable: 'true' },
    inputs: [tensor('f32', 2, 3), tensor(places)],
    checked: [1],
    outputs: 2,
    good: [
      [
        [[1, 3, 2, 6, 5, 4], [2]],
        [
          [3, 2, 6, 5],
          [1, 2, 0, 1],
        ],
      ],
    ],
    bad: [
      [[upTo(6), [4]], 'expected numbers in [1, 3] along axis -1, received 4'],
      [[upTo(6), [0]], 'received 0'],
    ],
  }),
  operation({
    type: 'StridedSlice',
    version: 'opset1',
    attributes: { begin_mask: '0', end_mask: '0' },
    inputs: [tensor('f32', 6), constant(places, [1], 1), constant(places, [1], 6), tensor(places, 1)],
    checked: [1],
    good: [[[upTo(6), [2]], [[1, 3, 5]]]],
    bad: [[[upTo(6), [0]], 'expected steps other than 0 in 32 bits, received 0']],
  }),
  operation({
    type: 'SpaceToBatch',
    version: 'opset2',
    inputs: [tensor('f32', 1, 4), tensor(places, 2), constant(places, [2], 0, 0), constant(places, [2], 0, 0)],
    checked: [1],
    good: [[[upTo(4), [1, 2]], [[0, 2, 1, 3]]]],
    bad: [[[upTo(4), [1, 0]], 'expected sizes of at least 1, received 0']],
  }),
  operation({
    type: 'DFT',
    version: 'opset7',
    inputs: [tensor('f32', 1, 2, 2), tensor(places, 1), tensor(places, 1)],
    checked: [1, 2],
    good: [
      [[[1, 0, 2, 0], [1], [-1]], [[3, 0, -1, 0]]],
      [[[1, 0, 2, 0], [-1], [1]], [[1, 0]]],
    ],
    bad: [
      [[upTo(4), [-3], [2]], 'expected axes in [-2, 1], received -3'],
      [[upTo(4), [1], [0]], 'expected sizes of at least 1, or -1, received 0'],
    ],
  }),
  ...['opset1', 'opset8'].map((version) =>
    operation({
      type: 'PriorBox',
      version,
      attributes: {
        aspect_ratio: '',
        clip: 'false',
        flip: 'false',
        max_size: '',
        min_size: '2',
        offset: '0.5',
        step: '0',
        variance: '',
        scale_all_sizes: 'true',
        fixed_ratio: '',
        fixed_size: '',
        density: '',
      },
      inputs: [tensor(places, 2), constant(places, [2], 4, 4)],
      checked: [0],
      good: [[[[1, 1]], [[0.25, 0.25, 0.75, 0.75, ...Array<number>(4).fill(Math.fround(0.1))]]]],
      bad: [
        [[[1, 0]], 'expected sizes of at least 1 that make up at most 4194304, received (1,0)'],
        [[[2 ** 31 - 1, 2 ** 31 - 1]], 'received (2147483647,2147483647)'],
      ],
    }),
  ),
  operation({
    type: 'CTCGreedyDecoderSeqLen',
    version: 'opset6',
    attributes: { merge_repeated: 'true' },
    inputs: [tensor('f32', 1, 2, 3), tensor(places, 1)],
    checked: [1],
    outputs: 2,
    good: [
      [
        [[1, 0, 0, 0, 1, 0], [2]],
        [[0, 1], [2]],
      ],
    ],
    bad: [
      [[upTo(6), [-1]], 'expected numbers in [0, 2] along axis 1, received -1'],
      [[upTo(6), [3]], 'received 3'],
    ],
  }),
  operation({
    type: 'CTCLoss',
    version: 'opset4',
    attributes: { preprocess_collapse_repeated: 'false', ctc_merge_repeated: 'true', unique: 'false' },
    inputs: [tensor('f32', 1, 2, 2), constant(places, [1], 2), tensor(places, 1, 2), tensor(places, 1), tensor(places)],
    checked: [1, 2, 3],
    good: [[[[0, 0, 0, 0], [0, -9], [1], [1]], [[Math.fround(-Math.log(0.75))]]]],
    bad: [
      [[upTo(4), [-9, 0], [1], [1]], 'expected indices in [0, 1] along axis 2, received -9'],
      [[upTo(4), [0, 0], [0], [1]], 'expected numbers in [1, 2] along axis 1, received 0'],
      [[upTo(4), [0, 0], [1], [2]], 'expected indices in [0, 1] along axis 2, received 2'],
    ],
  }),
  operation({
    type: 'SegmentMax',
    version: 'opset16',
    attributes: { fill_mode: 'ZERO' },
    inputs: [tensor('f32', 3, 1), tensor(places, 3)],
    checked: [1],
    good: [
      [
        [
          [1, 5, 2],
          [0, 0, 1],
        ],
        [[5, 2]],
      ],
    ],
    bad: [
      [
        [
          [1, 5, 2],
          [-2, 0, 1],
        ],
        'expected counts that are not negative, received -2',
      ],
    ],
  }),
  operation({
    type: 'Tile',
    version: 'opset1',
    inputs: [tensor('f32', 1, 2), tensor(places, 2)],
    checked: [1],
    good: [
      [
        [
          [1, 2],
          [2, 1],
        ],
        [[1, 2, 1, 2]],
      ],
    ],
    bad: [
      [
        [
          [1, 2],
          [-3, -3],
        ],
        'expected counts that are not negative, received -3',
      ],
    ],
  }),
  operation({
    type: 'Roll',
    version: 'opset7',
    inputs: [tensor('f32', 2, 2), tensor(places, 1), tensor(places, 1)],
    checked: [1, 2],
    good: [[[upTo(4), [1], [-1]], [[1, 0, 3, 2]]]],
    bad: [[[upTo(4), [1], [-FAR]], `expected axes in [-2, 1], received ${-FAR}`]],
  }),
  ...['opset3', 'opset9'].map((version) =>
    operation({
      type: 'ROIAlign',
      version,
      attributes: { pooled_h: '1', pooled_w: '1', sampling_ratio: '1', spatial_scale: '1', mode: 'avg' },
      inputs: [tensor('f32', 2, 1, 2, 2), constant('f32', [1, 4], 0, 0, 2, 2), tensor(places, 1)],
      checked: [1],
      good: [[[[1, 2, 3, 4, 5, 6, 7, 8], [1]], [[8]]]],
      bad: [
        [[upTo(8), [-1]], 'expected indices in [0, 1] along axis 0, received -1'],
        [[upTo(8), [FAR]], `received ${FAR}`],
      ],
    }),
  ),
  operation({
    type: 'ROIAlignRotated',
    version: 'opset15',
    attributes: { pooled_h: '1', pooled_w: '1', sampling_ratio: '1', spatial_scale: '1', clockwise_mode: 'true' },
    inputs: [tensor('f32', 2, 1, 2, 2), constant('f32', [1, 5], 1, 1, 1, 1, 0), tensor(places, 1)],
    checked: [1],
    good: [[[[1, 1, 1, 1, 5, 5, 5, 5], [1]], [[5]]]],
    bad: [[[upTo(8), [2]], 'expected indices in [0, 1] along axis 0, received 2']],
  }),
]);

const BOXES = [
  operation({
    type: 'ROIPooling',
    version: 'opset2',
    attributes: { pooled_h: '1', pooled_w: '1', spatial_scale: '1', method: 'bilinear' },
    inputs: [tensor('f32', 2, 1, 2, 2), tensor('f32', 1, 5)],
    checked: [1],
    good: [
      [
        [
          [1, 1, 1, 1, 5, 5, 5, 5],
          [1, 0, 0, 1, 1],
        ],
        [[5]],
      ],
    ],
    bad: [
      [[upTo(8), [1, 0, 0, 1, NaN]], 'expected finite numbers, received nan'],
      [[upTo(8), [2, 0, 0, 1, 1]], 'expected boxes of a row in [0, 1], received 2'],
    ],
  }),
  operation({
    type: 'PSROIPooling',
    version: 'opset1',
    attributes: {
      output_dim: '1',
      group_size: '1',
      spatial_scale: '1',
      mode: 'average',
      spatial_bins_x: '1',
      spatial_bins_y: '1',
    },
    inputs: [tensor('f32', 2, 1, 2, 2), tensor('f32', 1, 5)],
    checked: [1],
    good: [
      [
        [
          [1, 1, 1, 1, 5, 5, 5, 5],
          [1, 0, 0, 1, 1],
        ],
        [[5]],
      ],
    ],
    bad: [[[upTo(8), [-FAR, 0, 0, 1, 1]], `expected boxes of a row in [0, 1], received ${-FAR}`]],
  }),
];

const FINITE = [
  operation({
    type: 'DeformableConvolution',
    version: 'opset8',
    attributes: {
      strides: '1,1',
      dilations: '1,1',
      pads_begin: '0,0',
      pads_end: '0,0',
      auto_pad: 'explicit',
      group: '1',
      deformable_group: '1',
      bilinear_interpolation_pad: 'false',
    },
    inputs: [tensor('f32', 1, 1, 2, 2), tensor('f32', 1, 2, 2, 2), constant('f32', [1, 1, 1, 1], 2)],
    checked: [1],
    good: [
      [
        [
          [1, 2, 3, 4],
          [1, 0, 0, 0, 0, 0, 0, 0],
        ],
        [[6, 4, 6, 8]],
      ],
    ],
    bad: [
      [
        [
          [1, 2, 3, 4],
          [NaN, 0, 0, 0, 0, 0, 0, 0],
        ],
        'expected numbers, received nan',
      ],
    ],
  }),
  operation({
    type: 'ExperimentalDetectronROIFeatureExtractor',
    version: 'opset6',
    attributes: { output_size: '1', sampling_ratio: '1', pyramid_scales: '1', aligned: 'false' },
    inputs: [tensor('f32', 1, 4), tensor('f32', 1, 1, 2, 2)],
    checked: [0],
    outputs: 2,
    good: [
      [
        [
          [0, 0, 1, 1],
          [3, 3, 3, 3],
        ],
        [[3], [0, 0, 1, 1]],
      ],
    ],
    bad: [
      [
        [
          [-Infinity, 0, 1, 1],
          [3, 3, 3, 3],
        ],
        'expected finite numbers, received -inf',
      ],
    ],
  }),
];

const DRAWS = ['true', 'false'].map((replaced) =>
  operation({
    type: 'Multinomial',
    version: 'opset13',
    attributes: { convert_type: 'i32', with_replacement: replaced, log_probs: 'false', global_seed: '1', op_seed: '1' },
    inputs: [tensor('f32', 1, 3), tensor('i64', 1)],
    checked: [0],
    good: [[[[0, 1, 0], [1]], [[1]]]],
    bad: [
      [[[NaN, 1, 1], [1]], 'expected finite weights'],
      [[[0, 0, 0], [1]], 'expected finite weights'],
      [[[1, -1, 1], [1]], 'received -1'],
      ...(replaced === 'true' ? [] : [[[[0, 1, 1], [3]], 'expected finite weights of 3 or more'] as const]),
    ],
  }),
);

const LOOPS: readonly Case[] = [
  {
    title: 'Loop whose condition holds for ever',
    parameters: [tensor('f32', 2), tensor('i64')],
    checked: [],
    write: (directory, name) => writeRoundsModel(directory, name, 'never'),
    good: [
      [[[1, 2], [3]], [[4, 5]]],
      [[[1, 2], [1]], [[2, 3]]],
    ],
    bad: [
      [[[1, 2], [-1]], 'expected rounds in [0, 2147483647], because the condition never ends the loop, received -1'],
      [[[1, 2], [-7]], 'received -7'],
    ],
  },
  {
    title: 'Loop whose condition is handed round',
    parameters: [tensor('f32', 2), tensor('i64'), tensor('boolean', 1)],
    checked: [],
    write: (directory, name) => writeRoundsModel(directory, name, 'handed'),
    good: [
      [[[1, 2], [3], [1]], [[4, 5]]],
      [[[1, 2], [-1], [0]], [[2, 3]]],
    ],
    bad: [[[[1, 2], [-1], [1]], 'expected rounds in [0, 2147483647]']],
  },
  {
    title: 'Loop whose condition ends it',
    parameters: [tensor('f32', 2), tensor('i64'), tensor('f32', 1)],
    checked: [],
    write: (directory, name) => writeRoundsModel(directory, name, 'limit'),
    good: [
      [[[1, 2], [-1], [4]], [[4, 5]]],
      [[[1, 2], [2], [9]], [[3, 4]]],
    ],
    bad: [],
  },
];

const IN_BODY: Case = {
  title: 'GatherND in the body of a loop',
  parameters: [tensor('f32', 1, 1, 4), tensor('f32', 1, 1, 4)],
  checked: [],
  write: (directory, name) => writeTuplesInLoopModel(directory, name),
  good: [
    [
      [
        [3, 2, -4, 0],
        [5, 6, 7, 8],
      ],
      [[8, 7, 5, 5]],
    ],
  ],
  bad: [
    [
      [
        [3, 2, FAR, 0],
        [5, 6, 7, 8],
      ],
      `expected indices in [-4, 3] along axis 0, received ${FAR}`,
    ],
  ],
};

/** The lengths are known, but not what they are lengths of. */
const OPEN_SPLIT: Case = {
  title: 'VariadicSplit of known lengths over open data',
  parameters: [tensor('f32', 3, 2)],
  checked: [],
  write: (directory, name) =>
    writeOperationModel(directory, name, {
      type: 'VariadicSplit',
      version: 'opset1',
      attributes: {},
      inputs: [tensor('f32', -1, 2), constant('i64', [], 0), constant('i64', [2], -1, 2)],
      outputs: 2,
    }),
  good: [
    [
      [upTo(6)],
      [
        [0, 1],
        [2, 3, 4, 5],
      ],
    ],
  ],
  bad: [],
};

const CASES = [...SPLITS, ...TUPLES, ...STEPS, ...OTHERS, ...BOXES, ...FINITE, ...DRAWS, ...LOOPS, IN_BODY, OPEN_SPLIT];

const directory = temporaryDirectory();
const PORT_BYTES = 4096;
/** What is there before an answer. */
const LEFT = 0x5a;

/** A request over its own memory. */
class Asked {
  readonly #slab = newSlab(PORT_BYTES * 8);
  readonly #request: TestRequest;
  readonly #parameters: readonly OperationInput[];
  readonly #outputs: readonly string[];
  readonly mayFailInside: boolean;

  constructor(path: string, parameters: readonly OperationInput[], changes: Partial<CompileSpecification> = {}) {
    const model = compile(path, changes);
    const { outputs, mayFailInside } = binding.describeModel(model);
    this.#outputs = outputs.map(({ elementType }) => elementType);
    this.mayFailInside = mayFailInside;
    this.#parameters = parameters;
    const places = parameters.map(({ shape }, index) => ({ slab: this.#slab.id, offset: index * PORT_BYTES, shape }));
    this.#request = new TestRequest(model, ...places, ...outputs.map(() => null));
  }

  async ask(question: Values, how: 'infer' | 'start' = 'start'): Promise<Outcome & { readonly answer: Values }> {
    this.#parameters.forEach(({ elementType }, index) => {
      this.#slab.bytes.set(encode(elementType, question[index]!), index * PORT_BYTES);
    });
    const outcome = how === 'infer' ? this.#request.infer() : await this.#request.start();
    const answer = outcome.status === 'OK' ? this.#outputs.map((_, output) => this.#read(output)) : [];
    return { ...outcome, answer };
  }

  #read(output: number): number[] {
    const port = this.#parameters.length + output;
    const offset = port * PORT_BYTES;
    this.#slab.bytes.fill(LEFT, offset, offset + PORT_BYTES);
    binding.copyOutput(this.#request.handle, output, this.#slab.id, offset);
    const precision = precisionOfElementType(this.#outputs[output]!);
    assert.ok(isNumeric(precision));
    const count = this.#request.shape(port).reduce((all, size) => all * size, 1);
    const elements = elementArray(precision, this.#slab.bytes.buffer, offset, count);
    return Array.from({ length: count }, (_, index) => Number(elementValue(precision, elements, index)));
  }
}

const ALL_WAYS: Readonly<Record<string, Partial<CompileSpecification>>> = {
  'as a plain compile does': {},
  'on one stream of one thread': { properties: INLINE_PROPERTIES },
  'on two streams': { properties: { NUM_STREAMS: 2 } },
  'into a cache': { properties: { CACHE_DIR: join(directory, 'cache') } },
  'from a cache': { properties: { CACHE_DIR: join(directory, 'cache') } },
};

/** Every way for each fifth case: what differs between the ways is OpenVINO's, the cases are ours. */
function waysOf(index: number): readonly (readonly [string, Partial<CompileSpecification>])[] {
  const most = COMPILES === 1 ? 1 : index % 5 === 0 ? undefined : 2;
  return Object.entries(ALL_WAYS).slice(0, most);
}

describe('value guards: right questions are answered and wrong ones refused', () => {
  CASES.forEach(({ title, parameters, write, good, bad }, index) => {
    test(title, async () => {
      const path = write(directory, `case-${index}`);
      for (const [way, changes] of waysOf(index)) {
        const asked = new Asked(path, parameters, changes);
        assert.ok(asked.mayFailInside, way);
        for (const how of ['start', 'infer'] as const) {
          await answersRight(asked, good, how, way);
          for (const [question, text] of bad) {
            const refused = await asked.ask(question, how);
            assert.equal(refused.status, 'INFERENCE_FAILED', `${way}: ${refused.text}`);
            assert.ok(refused.text.includes(text), `${way}: ${refused.text}`);
            await answersRight(asked, good, how, way);
          }
        }
      }
    });
  });
});

async function answersRight(asked: Asked, good: Case['good'], how: 'infer' | 'start', way: string): Promise<void> {
  for (const [question, answer] of good) {
    const { status, text, answer: received } = await asked.ask(question, how);
    assert.equal(status, 'OK', `${way}: ${text}`);
    assert.deepEqual(received, answer, way);
  }
}

describe('value guards: answers are those of values that are known and not checked', () => {
  CASES.forEach(({ title, parameters, write, checked, good }, index) => {
    if (checked.length === 0) return;
    test(title, async () => {
      const guarded = new Asked(write(directory, `guarded-${index}`), parameters);
      for (const [place, [question, answer]] of good.entries()) {
        const isParameter = (_: unknown, port: number): boolean => !checked.includes(port);
        const plain = new Asked(write(directory, `plain-${index}-${place}`, question), parameters.filter(isParameter));
        const expected = await plain.ask(question.filter(isParameter));
        assert.deepEqual(expected.answer, answer);
        assert.deepEqual((await guarded.ask(question)).answer, expected.answer);
      }
    });
  });
});

test('value guards: a model that can neither be checked nor be left unchecked is refused', () => {
  const path = writeOperationModel(directory, 'open-sizes', {
    type: 'Col2Im',
    version: 'opset15',
    attributes: { strides: '1,1', dilations: '1,1', pads_begin: '0,0', pads_end: '0,0' },
    inputs: [tensor('f32', 12, 9), tensor('i64', 2), tensor('i64', 2)],
  });
  assert.throws(() => compile(path), { code: 'COMPILE_FAILED', message: /expected constant sizes/ });
});

test('value guards: lengths that open data cannot have are refused, and shapes that can have them still taken', async () => {
  const path = OPEN_SPLIT.write(directory, 'open-split');
  const [question, answer] = OPEN_SPLIT.good[0]!;
  const right = new Asked(path, OPEN_SPLIT.parameters);
  const short = new Asked(path, [tensor('f32', 1, 2)]);
  for (const how of ['start', 'infer'] as const) {
    assert.notEqual((await short.ask([[1, 2]], how)).status, 'OK');
    assert.deepEqual((await right.ask(question, how)).answer, answer);
  }
});
