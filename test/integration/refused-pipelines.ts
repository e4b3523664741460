import type { RowId } from '../contract/rows/index.js';
import type { DummyModelOptions } from '../fixtures/ir.js';
import { pipelineOf } from '../helpers/dummy-servables.js';
import { modelNode, node, pipeline, source, type Pipeline } from '../helpers/repository.js';

export interface Refused {
  readonly title: string;
  readonly pipeline: Pipeline;
  /** What the log says behind the name of the pipeline, up to the details. */
  readonly text: string;
  readonly covers: RowId | readonly RowId[];
}

const dummy = (name: string, from: string, more: Parameters<typeof modelNode>[4] = {}) =>
  modelNode(name, 'dummy', { b: from }, ['a'], more);
/** FP32 [3,1,10] in and out. */
const shards = (name: string, from: string, more: Parameters<typeof modelNode>[4] = {}) =>
  modelNode(name, 'shards', { b: from }, ['a'], more);
const last = (name: string, ...nodes: Pipeline['nodes']): Pipeline =>
  pipeline(name, ['b'], nodes, { a: `${nodes.at(-1)!.name}.a` });

/** One for each rule, in the order of the rules. */
export const REFUSED: readonly Refused[] = [
  {
    title: 'with a library that is not listed',
    pipeline: pipeline(
      'no_library',
      ['b'],
      [node('n', { x: 'request.b' }, ['a'], { type: 'custom', library_name: 'x' })],
      {
        a: 'n.a',
      },
    ),
    text: 'Pipeline refers to incorrect library',
    covers: 'pipelines.v2-library',
  },
  {
    title: 'with two nodes of one name',
    pipeline: last('twice', dummy('n', 'request.b'), dummy('n', 'request.b')),
    text: 'Pipeline definition has multiple nodes with the same name',
    covers: 'pipelines.v4-node-names',
  },
  {
    title: 'with a node called request',
    pipeline: last('reserved', dummy('request', 'request.b')),
    text: 'Pipeline definition has multiple nodes with the same name',
    covers: 'pipelines.reserved-names',
  },
  {
    title: 'of a model that is not listed',
    pipeline: pipelineOf('missing_model', 'nobody'),
    text: 'Pipeline definition has reference to missing model',
    covers: 'pipelines.v5-model',
  },
  {
    title: 'of a model that does not load',
    pipeline: pipelineOf('broken_model', 'garbage'),
    text: 'Pipeline definition has reference to missing model',
    covers: 'pipelines.v5-model',
  },
  {
    title: 'of a pipeline as a model',
    pipeline: pipelineOf('of_pipeline', 'dummy_pipeline'),
    text: 'Pipeline definition has reference to missing model',
    covers: 'pipelines.no-nesting',
  },
  {
    title: 'of a model that follows each request',
    pipeline: pipelineOf('of_auto', 'auto'),
    text: 'Value of provided parameter is forbidden',
    covers: 'pipelines.v6-auto',
  },
  {
    title: 'that demultiplexes a matrix',
    pipeline: last('flat_shards', dummy('n', 'request.b', { demultiply_count: -1 })),
    text: 'Pipeline has not enough shape dimensions to demultiply',
    covers: 'pipelines.v8-rank',
  },
  {
    title: 'that demultiplexes into another number',
    pipeline: last('other_count', shards('n', 'request.b', { demultiply_count: 2 })),
    text: 'Demultiplication count does not match tensor first dimension',
    covers: 'pipelines.v8-count',
  },
  {
    title: 'that gathers from nobody',
    pipeline: last('gathers_nobody', dummy('n', 'request.b', { gather_from_node: 'nobody' })),
    text: 'Gather node refers to not existing node',
    covers: 'pipelines.v9-gather',
  },
  {
    title: 'that gathers from a node without shards',
    pipeline: last('gathers_nothing', dummy('m', 'request.b'), dummy('n', 'm.a', { gather_from_node: 'm' })),
    text: "Gather node refers to node that isn't demultiplexer",
    covers: 'pipelines.v9-gather',
  },
  {
    title: 'with a node that is not there',
    pipeline: pipeline('missing_node', ['b'], [dummy('n', 'nobody.a')], { a: 'n.a' }),
    text: 'Pipeline definition has reference to missing node',
    covers: 'pipelines.v10-node',
  },
  {
    title: 'with the response as a source',
    pipeline: last('response_read', dummy('n', 'response.a')),
    text: 'Pipeline definition has response node used as dependency node',
    covers: 'pipelines.v10-node',
  },
  {
    title: 'with an input that the model has not',
    pipeline: last('no_input', modelNode('n', 'dummy', { c: 'request.b' }, ['a'])),
    text: 'Pipeline definition has connection to non existing model input',
    covers: 'pipelines.v11-input',
  },
  {
    title: 'with an input fed twice',
    pipeline: last('fed_twice', {
      ...dummy('n', 'request.b'),
      inputs: [{ b: source('request.b') }, { b: source('request.b') }],
    }),
    text: 'Pipeline definition has multiple connections to the same input of underlying model',
    covers: 'pipelines.v12-fed-twice',
  },
  {
    title: 'with an alias that its node has not',
    pipeline: last('no_alias', dummy('m', 'request.b'), dummy('n', 'm.z')),
    text: 'Pipeline definition has reference to missing data source',
    covers: 'pipelines.v13-source',
  },
  {
    title: 'with an output that the model has not',
    pipeline: last('no_output', modelNode('m', 'dummy', { b: 'request.b' }, ['z']), dummy('n', 'm.z')),
    text: 'Pipeline definition has reference to missing model output',
    covers: 'pipelines.v13-source',
  },
  {
    title: 'with shapes that do not overlap',
    pipeline: last('wrong_shape', modelNode('m', 'wide', { b: 'request.b' }, ['a']), dummy('n', 'm.a')),
    text: 'Invalid input shape',
    covers: 'pipelines.v14-shape',
  },
  {
    title: 'with a rank of its own',
    pipeline: last('wrong_rank', shards('m', 'request.b'), dummy('n', 'm.a')),
    text: 'Invalid input shape',
    covers: 'pipelines.v14-shape',
  },
  {
    title: 'with another precision',
    pipeline: last('wrong_precision', modelNode('m', 'whole', { b: 'request.b' }, ['a']), dummy('n', 'm.a')),
    text: 'Invalid input precision',
    covers: 'pipelines.v15-precision',
  },
  {
    title: 'with an input that nothing feeds',
    pipeline: pipeline('unfed', ['b'], [modelNode('n', 'pair', { in1: 'request.b' }, ['argmax'])], { a: 'n.argmax' }),
    text: 'Pipeline definition does not have connections for all inputs of underlying models',
    covers: 'pipelines.v17-unfed',
  },
  {
    title: 'with a cycle of two',
    pipeline: last('cycle', dummy('m', 'n.a'), dummy('n', 'm.a')),
    text: 'Pipeline definition contains a cycle',
    covers: 'pipelines.v18-cycle',
  },
  {
    title: 'with a node that feeds itself',
    pipeline: last('self_loop', dummy('n', 'n.a')),
    text: 'Pipeline definition contains a cycle',
    covers: 'pipelines.v18-cycle',
  },
  {
    title: 'with a node that leads nowhere',
    pipeline: last('unconnected', dummy('m', 'request.b'), dummy('n', 'request.b')),
    text: 'Pipeline definition has unconnected nodes',
    covers: 'pipelines.v19-unconnected',
  },
  {
    title: 'that gathers two shards where three fit',
    pipeline: last(
      'gathers_too_few',
      modelNode('split', 'pairs', { b: 'request.b' }, ['a'], { demultiply_count: 2 }),
      dummy('each', 'split.a'),
      shards('all', 'each.a', { gather_from_node: 'split' }),
    ),
    text: 'Invalid input shape',
    covers: 'pipelines.v14a-gather',
  },
  {
    title: 'that gathers the outer shards first',
    pipeline: last(
      'crossed',
      modelNode('outer', 'deep', { b: 'request.b' }, ['a'], { demultiply_count: 2 }),
      shards('inner', 'outer.a', { demultiply_count: 3 }),
      dummy('each', 'inner.a'),
      modelNode('all', 'pairs', { b: 'each.a' }, ['a'], { gather_from_node: 'outer' }),
    ),
    text: 'Demultiplexer and gather nodes are not in LIFO order',
    covers: 'pipelines.v20-order',
  },
  {
    title: 'whose input has readers of two shapes',
    pipeline: pipeline(
      'no_common',
      ['b'],
      [dummy('m', 'request.b'), modelNode('n', 'wide', { b: 'request.b' }, ['a'])],
      {
        m: 'm.a',
        n: 'n.a',
      },
    ),
    text: 'Multiple nodes connected to the same pipeline input require different tensor metadata',
    covers: 'pipelines.v21-inputs-differ',
  },
  {
    title: 'with faults of two nodes: the first one is told',
    pipeline: last('two_faults', dummy('m', 'nobody.a'), modelNode('n', 'lost', { b: 'm.a' }, ['a'])),
    text: 'Pipeline definition has reference to missing node',
    covers: 'pipelines.v-order',
  },
  {
    title: 'whose output is its input',
    pipeline: pipeline('echo', ['b'], [dummy('n', 'request.b')], { a: 'n.a', echo: 'request.b' }),
    text: 'Functionality not implemented',
    covers: 'pipelines.echo',
  },
];

/** Next to those, and good. */
export const ACCEPTED: readonly Pipeline[] = [
  last(
    'gathered_rank',
    shards('split', 'request.b', { demultiply_count: 3 }),
    dummy('each', 'split.a'),
    shards('all', 'each.a', { gather_from_node: 'split' }),
  ),
  {
    ...last('many_dynamic', shards('split', 'request.b', { demultiply_count: -1 }), dummy('each', 'split.a')),
    demultiply_count: -1,
  },
];

/** Models that the pipelines need beside `dummy`, `pair`, one called `auto` that follows each request, and one, `garbage`, that fails. */
export const SOUND: Readonly<Record<string, DummyModelOptions>> = {
  shards: { shape: [3, 1, 10] },
  deep: { shape: [2, 3, 1, 10] },
  pairs: { shape: [2, 1, 10] },
  wide: { shape: [1, 11] },
  whole: { precision: 'i64' },
};
