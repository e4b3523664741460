import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { BlockingPool } from '#src/blocking/blocking-pool.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { elementArray, elementOf, isNumeric } from '#src/tensors/elements.js';
import { portBytes, staticShape } from '#src/inference/port-bytes.js';
import { precisionOfElementType } from '#src/tensors/precision.js';
import { writeArgmaxModel, writeDenseModel, writeFullyConnectedModel, writeSoftmaxModel } from '../fixtures/ir.js';
import {
  constant,
  tensor,
  writeLookUpInLoopModel,
  writeOperationModel,
  type Operation,
  type OperationInput,
} from '../fixtures/operations.js';
import {
  binding,
  compile,
  INLINE_PROPERTIES,
  newSlab,
  specification,
  temporaryDirectory,
  TestRequest,
} from './support.js';

type Values = readonly (readonly number[])[];

/** An operation that some values make fail, or that looks up places which the values name. */
interface Case {
  readonly title: string;
  readonly write: (directory: string, name: string) => string;
  /** Of each parameter. */
  readonly good: Values;
  readonly bad: Values;
}

const f32 = (...shape: number[]): OperationInput => tensor('f32', ...shape);
const i32 = (...shape: number[]): OperationInput => tensor('i32', ...shape);
const ZERO = constant('i64', [], 0);

function operation(
  [type, version]: readonly [string, string],
  attributes: Operation['attributes'],
  inputs: readonly OperationInput[],
  { good, bad }: { readonly good: Values; readonly bad: Values },
): Case {
  const write = (directory: string, name: string): string =>
    writeOperationModel(directory, name, { type, version, attributes, inputs });
  return { title: `${type} of ${version}`, write, good, bad };
}

const FOUR = [1, 2, 3, 4];
const TABLE = [1, 2, 3, 4, 5, 6, 7, 8];
const CASES: readonly Case[] = [
  operation(['ScatterUpdate', 'opset3'], {}, [f32(4), i32(2), f32(2), ZERO], {
    good: [FOUR, [0, 1], [8, 9]],
    bad: [FOUR, [0, 9], [8, 9]],
  }),
  operation(['ScatterElementsUpdate', 'opset3'], {}, [f32(4), i32(2), f32(2), ZERO], {
    good: [FOUR, [0, 1], [8, 9]],
    bad: [FOUR, [0, 9], [8, 9]],
  }),
  operation(
    ['ScatterElementsUpdate', 'opset12'],
    { reduction: 'sum', use_init_val: 'true' },
    [f32(4), i32(2), f32(2), ZERO],
    { good: [FOUR, [0, 1], [8, 9]], bad: [FOUR, [0, 9], [8, 9]] },
  ),
  operation(['ScatterNDUpdate', 'opset4'], {}, [f32(4), i32(2, 1), f32(2)], {
    good: [FOUR, [0, 1], [8, 9]],
    bad: [FOUR, [0, 9], [8, 9]],
  }),
  operation(['GatherElements', 'opset6'], { axis: '0' }, [f32(4), i32(2)], {
    good: [FOUR, [0, 1]],
    bad: [FOUR, [0, 9]],
  }),
  operation(['Gather', 'opset8'], { batch_dims: '0' }, [f32(4), i32(2), ZERO], {
    good: [FOUR, [0, 1]],
    bad: [FOUR, [0, 9]],
  }),
  operation(['EmbeddingBagOffsetsSum', 'opset3'], {}, [f32(4, 2), i32(3), i32(2)], {
    good: [TABLE, [0, 2, 3], [0, 2]],
    bad: [TABLE, [0, 9, 3], [0, 2]],
  }),
  operation(['EmbeddingBagPackedSum', 'opset3'], {}, [f32(4, 2), i32(2, 2)], {
    good: [TABLE, [0, 1, 2, 3]],
    bad: [TABLE, [0, 9, 2, 3]],
  }),
  operation(['EmbeddingSegmentsSum', 'opset3'], {}, [f32(4, 2), i32(3), i32(3), constant('i32', [], 2)], {
    good: [TABLE, [0, 2, 3], [0, 0, 1]],
    bad: [TABLE, [0, 9, 3], [0, 0, 1]],
  }),
  operation(
    ['ROIAlign', 'opset3'],
    { pooled_h: '2', pooled_w: '2', sampling_ratio: '1', spatial_scale: '1', mode: 'avg' },
    [f32(1, 1, 2, 4), f32(1, 4), i32(1)],
    { good: [TABLE, [0, 0, 2, 2], [0]], bad: [TABLE, [0, 0, 2, 2], [5]] },
  ),
  operation(['ReverseSequence', 'opset1'], { batch_axis: '0', seq_axis: '1' }, [f32(2, 4), i32(2)], {
    good: [TABLE, [1, 2]],
    bad: [TABLE, [9, 2]],
  }),
  operation(
    ['CTCLoss', 'opset4'],
    { preprocess_collapse_repeated: 'false', ctc_merge_repeated: 'true', unique: 'false' },
    [f32(1, 2, 4), i32(1), i32(1, 2), i32(1)],
    { good: [TABLE, [2], [0, 1], [1]], bad: [TABLE, [2], [0, 1], [9]] },
  ),
  operation(['GatherTree', 'opset1'], {}, [i32(2, 1, 2), i32(2, 1, 2), i32(1), i32()], {
    good: [FOUR, [0, 1, 0, 1], [2], [1]],
    bad: [FOUR, [9, 9, 9, 9], [2], [1]],
  }),
  operation(['CumSum', 'opset3'], { exclusive: 'false', reverse: 'false' }, [f32(4), i32()], {
    good: [FOUR, [0]],
    bad: [FOUR, [7]],
  }),
  operation(['Divide', 'opset1'], { auto_broadcast: 'numpy', m_pythondiv: 'true' }, [i32(4), i32(4)], {
    good: [FOUR, [1, 1, 2, 2]],
    bad: [FOUR, [0, 0, 0, 0]],
  }),
  operation(['Mod', 'opset1'], { auto_broadcast: 'numpy' }, [i32(4), i32(4)], {
    good: [FOUR, [2, 3, 2, 3]],
    bad: [FOUR, [0, 0, 0, 0]],
  }),
  {
    title: 'GatherElements in the body of a loop',
    write: writeLookUpInLoopModel,
    good: [[3, 2, 1, 0], FOUR],
    bad: [[3, 2, 9, 0], FOUR],
  },
];

/** What another client's answer would have left in the region of an output. */
const LEFT = 0x5a;
const directory = temporaryDirectory();

/** A request over its own memory. */
class Tried {
  readonly #slab = newSlab(1 << 16);
  readonly #request: TestRequest;
  readonly #inputs;
  readonly #outputBytes: number;
  readonly #outputStart: number;
  readonly mayFailInside: boolean;

  constructor(path: string, properties: Readonly<Record<string, number>>) {
    const model = compile(path, { properties });
    const { inputs, outputs, mayFailInside } = binding.describeModel(model);
    this.mayFailInside = mayFailInside;
    let end = 0;
    const places = [...inputs, ...outputs].map((port) => {
      const place = { slab: this.#slab.id, offset: end, shape: staticShape(port) };
      end += Math.ceil(portBytes(port) / 64) * 64;
      return place;
    });
    this.#inputs = inputs.map(({ elementType }, index) => ({ elementType, offset: places[index]!.offset }));
    this.#outputStart = places[inputs.length]!.offset;
    this.#outputBytes = portBytes(outputs[0]!);
    this.#request = new TestRequest(model, ...places);
  }

  /** The bytes of the output, or `null` when the inference fails. */
  async answer(values: Values, how: 'infer' | 'start'): Promise<string | null> {
    this.#inputs.forEach(({ elementType, offset }, index) => {
      const precision = precisionOfElementType(elementType);
      assert.ok(isNumeric(precision));
      const elements = elementArray(precision, this.#slab.bytes.buffer, offset, values[index]!.length);
      values[index]!.forEach((value, place) => (elements[place] = elementOf(precision)(value)));
    });
    const output = this.#slab.bytes.subarray(this.#outputStart, this.#outputStart + this.#outputBytes);
    output.fill(LEFT);
    const { status } = how === 'infer' ? this.#request.infer() : await this.#request.start();
    return status === 'OK' ? Buffer.from(output).toString('hex') : null;
  }
}

describe('data faults: on one stream of one thread', () => {
  CASES.forEach(({ title, write, good, bad }, index) => {
    test(`${title} fails with values it cannot take, or answers as a plain compile, and is right afterwards`, async () => {
      const path = write(directory, `case-${index}`);
      const plain = new Tried(path, {});
      const [right, expected] = [await plain.answer(good, 'start'), await plain.answer(bad, 'start')];
      assert.notEqual(right, null);
      const inline = new Tried(path, INLINE_PROPERTIES);
      for (const values of [good, good, bad, good, bad, bad, good]) {
        assert.equal(await inline.answer(values, 'infer'), values === bad ? expected : right, JSON.stringify(values));
      }
      assert.ok(inline.mayFailInside);
    });
  });
});

const pool = new BlockingPool();
const SETTINGS = {
  cacheDir: null,
  inferenceThreads: null,
  backend: 'native',
  triesModels: true,
  nodeExecutor: 'adaptive',
} as const;
const compiler = new ModelCompiler(binding, pool, SETTINGS);
after(async () => {
  compiler.close();
  await pool.close();
});

test('data faults: what can fail by its values has no variant for the calling thread', async () => {
  for (const [index, { title, write }] of CASES.entries()) {
    const reference = await compiler.compile(specification(write(directory, `variant-${index}`)));
    assert.equal(reference.inline, null, title);
    compiler.release(reference);
  }
});

test('data faults: usual networks take every value', () => {
  const paths = [
    writeDenseModel(directory, { name: 'dense' }),
    writeFullyConnectedModel(directory, { name: 'fully-connected' }),
    writeArgmaxModel(directory, { name: 'argmax' }),
    writeSoftmaxModel(directory, 1, { name: 'softmax' }),
  ];
  for (const path of paths) assert.equal(binding.describeModel(compile(path)).mayFailInside, false, path);
});
