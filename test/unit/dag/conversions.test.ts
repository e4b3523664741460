import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PipelineConfig } from '#src/config/schema.js';
import { metadataDimensions } from '#src/tensors/shape.js';
import { buildFromConfig, configNode, configPipeline, refusal, source } from './from-config.js';
import { catalogue, tensor } from './pipeline-fixture.js';

const CATALOGUE = catalogue({
  camera: {
    inputs: [tensor('raw', { precision: 'U8', shape: [1, 4] })],
    outputs: [tensor('picture', { precision: 'U8', shape: [1, 2, 3, 3], layout: 'NHWC' })],
  },
  net: {
    inputs: [tensor('image', { shape: [1, 3, 2, 3], layout: 'NCHW' })],
    outputs: [tensor('score', { shape: [1, 5] })],
  },
});
const camera = configNode('camera', { raw: 'request.x' }, ['picture'], { model_name: 'camera' });
const picture = { ...source('camera.picture'), precision: 'U8:FP32', layout: 'NHWC:NCHW' };
const net = (name: string, image: typeof picture) => configNode(name, { image }, ['score'], { model_name: 'net' });

test('conversion: is a node of its own, made once for all who ask for the same', () => {
  const graph = buildFromConfig(
    configPipeline([camera, net('one', picture), net('two', picture)], { a: 'one.score', b: 'two.score' }),
    CATALOGUE,
  );
  assert.deepEqual(
    graph.nodes.map(({ name, program }) => `${name}: ${program.kind}`),
    ['camera: model', 'camera.picture U8:FP32 NHWC:NCHW: convert', 'one: model', 'two: model'],
  );
  const [from, convert] = graph.nodes;
  assert.deepEqual(from!.dependants, [1]);
  assert.deepEqual(convert!.dependants, [2, 3]);
  const { info, uses } = graph.values[convert!.outputs[0]!.value]!;
  assert.equal(uses, 2);
  assert.deepEqual([info.precision, metadataDimensions(info.shape), info.layout], ['FP32', [1, 3, 2, 3], 'NCHW']);
});

test('conversion: of sources that are written alike are two', () => {
  const one = configNode('a', { raw: 'request.x' }, [], {
    model_name: 'camera',
    outputs: [{ data_item: 'picture', alias: 'b.c' }],
  });
  const other = configNode('a.b', { raw: 'request.y' }, [], {
    model_name: 'camera',
    outputs: [{ data_item: 'picture', alias: 'c' }],
  });
  const graph = buildFromConfig(
    configPipeline([one, other], {
      first: { node_name: 'a', data_item: 'b.c', precision: 'U8:FP32' },
      second: { node_name: 'a.b', data_item: 'c', precision: 'U8:FP32' },
    }),
    CATALOGUE,
  );
  assert.deepEqual(
    graph.outputs.map(({ value }) => graph.nodes.find(({ outputs }) => outputs[0]!.value === value)!.inputs[0]!.value),
    graph.nodes.slice(0, 2).map(({ outputs }) => outputs[0]!.value),
  );
});

test('conversion: of the request shows in the metadata of the pipeline what clients send', () => {
  const image = { ...source('request.x'), precision: 'U8:FP32', layout: 'NHWC:NCHW' };
  const graph = buildFromConfig(configPipeline([net('one', image)], { a: 'one.score' }), CATALOGUE);
  const { info } = graph.inputs[0]!;
  assert.deepEqual([info.precision, metadataDimensions(info.shape), info.layout], ['U8', [1, 2, 3, 3], 'NHWC']);
});

test('conversion: of an output shows in the metadata what clients get', () => {
  const score = { ...source('one.score'), precision: 'FP32:FP16' };
  const graph = buildFromConfig(configPipeline([camera, net('one', picture)], { a: score }), CATALOGUE);
  assert.equal(graph.outputs[0]!.info.precision, 'FP16');
});

const REFUSED: readonly [string, PipelineConfig, string, string][] = [
  [
    'tensors of different precision without a conversion',
    configPipeline([camera, net('one', { ...source('camera.picture'), layout: 'NHWC:NCHW' } as typeof picture)], {
      a: 'one.score',
    }),
    'PIPELINE_INPUT_PRECISION',
    'Expected: FP32; Actual: U8 at /pipeline_config_list/0/nodes/1/inputs/0/image',
  ],
  [
    'a conversion from another precision than the source has',
    configPipeline([camera, net('one', { ...picture, precision: 'I32:FP32' })], { a: 'one.score' }),
    'PIPELINE_CONVERSION',
    'expected a conversion of U8 (1,2,3,3), received I32:FP32 NHWC:NCHW at /pipeline_config_list/0/nodes/1/inputs/0/image',
  ],
  [
    'a layout of another rank than the source has',
    configPipeline([camera, net('one', { ...picture, layout: 'HWC:CHW' })], { a: 'one.score' }),
    'PIPELINE_CONVERSION',
    'received U8:FP32 HWC:CHW',
  ],
  [
    'a conversion to another precision than the input wants',
    configPipeline([camera, net('one', { ...picture, precision: 'U8:FP64' })], { a: 'one.score' }),
    'PIPELINE_INPUT_PRECISION',
    'Expected: FP32; Actual: FP64',
  ],
  [
    'a conversion of the request to another precision than the input wants',
    configPipeline([net('one', { ...source('request.x'), precision: 'U8:I32', layout: 'NHWC:NCHW' })], {
      a: 'one.score',
    }),
    'PIPELINE_CONVERSION',
    'expected a conversion to FP32 (1,3,2,3), received U8:I32 NHWC:NCHW',
  ],
  [
    'a transposed shape that does not fit',
    configPipeline([camera, net('one', { ...picture, layout: 'NHWC:NHCW' })], { a: 'one.score' }),
    'PIPELINE_INPUT_SHAPE',
    'Expected: (1,3,2,3); Actual: (1,2,3,3)',
  ],
  [
    'a conversion of an output from another precision',
    configPipeline([camera, net('one', picture)], { a: { ...source('one.score'), precision: 'FP16:FP32' } }),
    'PIPELINE_CONVERSION',
    'at /pipeline_config_list/0/outputs/0/a',
  ],
];

for (const [what, pipeline, code, detail] of REFUSED) {
  test(`conversion: ${what} is refused`, () => {
    const fault = refusal(pipeline, CATALOGUE);
    assert.equal(fault?.code, code, fault?.detail);
    assert.ok(fault.detail.includes(detail), fault.detail);
  });
}
