import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompileSpecification, CompiledModelHandle } from '#src/native/binding.js';
import { IrGraph, type Source } from '../fixtures/ir.js';
import { binding, compile, newSlab, temporaryDirectory, TestRequest, type Outcome } from './support.js';

const directory = temporaryDirectory();

type Build = (graph: IrGraph, input: Source) => readonly Source[];

function convert(graph: IrGraph, source: Source, to: string): Source {
  return graph.operation('Convert', 'opset1', { destination_type: to }, [source])[0]!;
}

/** Values after which OpenVINO hands the input on, as it does with fixed shapes, too. */
const thereAndBack =
  (type: string): Build =>
  (graph, input) => [convert(graph, convert(graph, input, type), 'f32')];

function rectified(graph: IrGraph, input: Source): Source {
  return graph.operation('ReLU', 'opset1', {}, [input])[0]!;
}

/** Models whose outputs are nothing but their input once the CPU plug-in has compiled them with open dimensions. */
const PASSING: Readonly<Record<string, Build>> = {
  'f32 to bf16 and back': thereAndBack('bf16'),
  'f32 to f16 and back': thereAndBack('f16'),
  'f32 to f64 and back': thereAndBack('f64'),
  'f32 to f32': (graph, input) => [convert(graph, input, 'f32')],
  'f32 like itself': (graph, input) => graph.operation('ConvertLike', 'opset1', {}, [input, input]),
  'f32 to f16 and back twice, and to bf16': (graph, input) => [
    ...thereAndBack('f16')(graph, thereAndBack('f16')(graph, input)[0]!),
    ...thereAndBack('bf16')(graph, input),
  ],
  'f32 to f16 and back beside another output': (graph, input) => [
    ...thereAndBack('f16')(graph, input),
    rectified(graph, input),
  ],
  'f32 to f16 and back in two halves': (graph, input) => {
    const axis = graph.constant('i64', [], new Uint8Array(new BigInt64Array([1n]).buffer));
    const halves = graph.operation(
      'Split',
      'opset1',
      { num_splits: '2' },
      thereAndBack('f16')(graph, input).concat(axis),
      2,
    );
    return graph.operation('Concat', 'opset1', { axis: '1' }, halves);
  },
};

/** Conversions that stay, or stand where they do no harm: one compilation answers all sizes. */
const HARMLESS: Readonly<Record<string, Build>> = {
  'f32 to i32 and back': (graph, input) => [convert(graph, convert(graph, input, 'i32'), 'f32')],
  'after a ReLU': (graph, input) => thereAndBack('f16')(graph, rectified(graph, input)),
  'before a ReLU': (graph, input) => [rectified(graph, thereAndBack('f16')(graph, input)[0]!)],
  'the input itself': (_graph, input) => [input],
};

function write(name: string, build: Build, shape: readonly number[]): string {
  const graph = new IrGraph('passing');
  for (const output of build(graph, graph.parameter('b', 'f32', shape))) graph.result(output);
  return graph.write(directory, name);
}

const OPENED: Readonly<Record<string, readonly [shape: readonly number[], changes: Partial<CompileSpecification>]>> = {
  'dimensions of the file': [[-1, 4], {}],
  'every dimension of the file': [[-1, -1], {}],
  'shape auto': [[1, 4], { shapes: [{ name: '', dimensions: null }] }],
  'a range of batches': [[1, 4], { batch: [1, 8] }],
};

const WAYS: readonly ((request: TestRequest) => Promise<Outcome>)[] = [
  (request) => request.start(),
  (request) => Promise.resolve(request.infer()),
];
const OUTPUT_AT = 4096;

/** Whole numbers, which each of the types has. */
async function assertAnswers(model: CompiledModelHandle, isRectified: (output: number) => boolean): Promise<void> {
  const { outputs } = binding.describeModel(model);
  const slab = newSlab(1 << 13);
  const request = new TestRequest(model, { slab: slab.id, offset: 0, shape: [1, 4] }, ...outputs.map(() => null));
  for (const way of WAYS) {
    for (const [turn, rows] of [1, 2, 3, 5, 1, 8, 2].entries()) {
      const values = Array.from({ length: rows * 4 }, (_, index) => (index % 2 === 0 ? index + turn : -index - turn));
      slab.floats.set(values);
      request.bind(0, { slab: slab.id, offset: 0, shape: [rows, 4] });
      outputs.forEach((_, output) => request.bind(1 + output, null));
      const { status, text } = await way(request);
      assert.equal(status, 'OK', text);
      for (const output of outputs.keys()) {
        assert.deepEqual(request.shape(1 + output), [rows, 4]);
        binding.copyOutput(request.handle, output, slab.id, OUTPUT_AT);
        const expected = isRectified(output) ? values.map((value) => Math.max(value, 0)) : values;
        const place = OUTPUT_AT / Float32Array.BYTES_PER_ELEMENT;
        assert.deepEqual([...slab.floats.subarray(place, place + values.length)], expected);
      }
    }
  }
}

for (const [opened, [shape, changes]] of Object.entries(OPENED)) {
  for (const [name, build] of Object.entries(PASSING)) {
    test(`${name}, ${opened}: compiled by shape, and answered rightly`, async () => {
      const model = compile(write('passing', build, shape), changes);
      assert.match(
        binding.describeModel(model).compiledByShape ?? '',
        /^Convert\w* .+ is dropped, which leaves nothing between an input and an output$/,
      );
      await assertAnswers(model, (output) => name.includes('another output') && output === 1);
    });
  }

  for (const [name, build] of Object.entries(HARMLESS)) {
    test(`${name}, ${opened}: compiled once`, async () => {
      const model = compile(write('harmless', build, shape), changes);
      assert.equal(binding.describeModel(model).compiledByShape, undefined);
      await assertAnswers(model, () => name.includes('ReLU'));
    });
  }
}

test('what hands an input on is not joined', () => {
  for (const build of Object.values(PASSING)) {
    assert.throws(() => compile(write('joined', build, [1, 4]), { joinedRows: 4 }), {
      code: 'NOT_JOINED',
      message: /^expected operations between each input and output, received a model where Convert/,
    });
  }
});
