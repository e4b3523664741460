import { different, supported } from '../row.js';

/** Definitions of pipelines. */
const definition = {
  'pipelines.keys': supported(
    'a pipeline has `name`, `inputs`, `nodes`, `outputs` and perhaps `demultiply_count`; each is required but the last, and other keys are refused',
  ),
  'pipelines.node-keys': supported(
    'a node has `name`, `type` (`DL model` or `custom`, exactly), `inputs` and `outputs`; a model `model_name` and perhaps `version` (1 at least), a custom node `library_name` and perhaps `params` of strings; what belongs to the other type is refused',
  ),
  'pipelines.one-key-objects': supported(
    'each element of a node’s `inputs` and of the pipeline’s `outputs` has exactly one key; a node’s outputs need `data_item` and `alias`',
  ),
  'pipelines.demultiply-count': supported(
    '`demultiply_count` is -1 to 10000; -1 is dynamic, and 0 is read as -1 with a warning',
  ),
  'pipelines.gather-one': supported('`gather_from_node` names one node'),
  'pipelines.reserved-names': supported('`request` and `response` are the built-in nodes: no node may have their name'),
  'pipelines.default-version': supported(
    'a node without `version` runs the default version of each moment, one with `version` that one',
  ),
  'pipelines.alias': supported(
    'what follows names the alias, not the tensor; of an alias that is given twice the last counts',
  ),
  'pipelines.mapped-names': supported('names of tensors are the mapped ones on both sides'),
  'pipelines.shared-output': supported(
    'an output may feed several nodes and be an output of the pipeline besides; an input may feed several nodes',
  ),
  'pipelines.same-model': supported('one model may stand in several nodes'),
  'pipelines.no-nesting': different(
    'a pipeline cannot contain a pipeline',
    'a `DL model` node that names one is refused as there; nodes of type `pipeline` contain one',
  ),
  'pipelines.first-wins': supported('of two pipelines with one name the first counts, with a warning'),
} as const;

/** What is validated, in its order. */
const validation = {
  'pipelines.v1-name': supported(
    '1. named like a model, also a retired one: `Pipeline has the same name as model`, not registered at all',
  ),
  'pipelines.v2-library': supported(
    '2. no such library, or not all six functions: `Pipeline refers to incorrect library`',
  ),
  'pipelines.v2-initialize': supported('2. `initialize` fails: `Failure during custom node library initialization`'),
  'pipelines.v3-one-dynamic': different(
    '3. a dynamic demultiplexer beside others: `Functionality not implemented`',
    'accepted, in any number',
  ),
  'pipelines.v4-node-names': supported(
    '4. two nodes of one name: `Pipeline definition has multiple nodes with the same name`',
  ),
  'pipelines.v5-model': supported(
    '5. a model that is not available: `Pipeline definition has reference to missing model`',
  ),
  'pipelines.v6-auto': supported('6. a model with batch or shape auto: `Value of provided parameter is forbidden`'),
  'pipelines.v7-strings': supported(
    '7. strings at a demultiplexing node or behind a demultiplexing request: `Demultiplication is not supported for string precision`',
  ),
  'pipelines.v8-rank': supported(
    '8. an output of a demultiplexer with fewer than three dimensions: `Pipeline has not enough shape dimensions to demultiply`',
  ),
  'pipelines.v8-count': supported(
    '8. one whose first dimension is another: `Demultiplication count does not match tensor first dimension`',
  ),
  'pipelines.v9-gather': supported(
    "9. gathering from a node that is not there, or that is no demultiplexer: `Gather node refers to not existing node`, `Gather node refers to node that isn't demultiplexer`",
  ),
  'pipelines.v10-node': supported(
    '10. a node that is not there, or the response, as a source: `Pipeline definition has reference to missing node`, `Pipeline definition has response node used as dependency node`',
  ),
  'pipelines.v11-input': supported(
    '11. an input that the model has not: `Pipeline definition has connection to non existing model input`',
  ),
  'pipelines.v12-fed-twice': supported(
    '12. an input fed twice: `Pipeline definition has multiple connections to the same input of underlying model`',
  ),
  'pipelines.v13-source': supported(
    '13. an alias that its node has not, or a tensor that its model has not: `Pipeline definition has reference to missing data source`, `Pipeline definition has reference to missing model output`',
  ),
  'pipelines.v14-shape': supported(
    '14. shapes of another rank, shards and gathered tensors counted as such, or with a dimension that does not overlap: `Invalid input shape`',
  ),
  'pipelines.v14a-gather': supported(
    '14a. shards that are gathered into an input whose first dimension cannot hold that many: `Invalid input shape`; how many a dynamic demultiplexer makes is seen at run time',
  ),
  'pipelines.v15-precision': supported('15. another precision: `Invalid input precision`'),
  'pipelines.v16-strings': supported('16. a tensor of strings from node to node: `Functionality not implemented`'),
  'pipelines.v17-unfed': supported(
    '17. an input of a model that nothing feeds: `Pipeline definition does not have connections for all inputs of underlying models`',
  ),
  'pipelines.v18-cycle': supported('18. a cycle: `Pipeline definition contains a cycle`'),
  'pipelines.v19-unconnected': supported(
    '19. a node that no output depends on: `Pipeline definition has unconnected nodes`',
  ),
  'pipelines.v20-order': supported(
    '20. demultiplexers and gathers that are not nested: `Demultiplexer and gather nodes are not in LIFO order`',
  ),
  'pipelines.v21-inputs-differ': supported(
    '21. readers of one pipeline input without a common shape, precision or layout: `Multiple nodes connected to the same pipeline input require different tensor metadata`',
  ),
  'pipelines.v-order': supported(
    'names come first, then the nodes in the order of the file, then the whole graph; the first fault is told',
  ),
  'pipelines.v-registered': supported(
    'a refused pipeline stays registered, at `LOADING` with `FAILED_PRECONDITION`, its requests get `Pipeline is not loaded yet`, and it is tried again when a model it uses changes',
  ),
  'pipelines.layout-between': supported(
    'layouts are compared at shared inputs only, where `N...` with `NHWC` is `NHWC`, and not between nodes',
  ),
} as const;

/** Metadata, and what runs. */
const execution = {
  'pipelines.metadata-inputs': supported(
    'metadata shows an input as what all its readers accept, and leaves out declared inputs that nobody reads',
  ),
  'pipelines.metadata-request': supported(
    'a demultiplexer at the request puts its count in front, or -1, and `N` before the layout, whose own `N` becomes `?`',
  ),
  'pipelines.metadata-outputs': supported(
    'outputs have one dimension in front for each demultiplexer that the response gathers, outermost first',
  ),
  'pipelines.echo': different(
    'an output that is an input of the pipeline is accepted and fails at each request, or ends the server',
    'the definition is refused',
  ),
  'pipelines.metadata-custom': supported(
    'a custom node has the shapes that its library tells, 0 for any size, and the layout `...`',
  ),
  'pipelines.dynamic': supported('dimensions of -1 and ranges are allowed; what a node gets is checked when it runs'),
  'pipelines.misfit': supported(
    'a tensor that does not fit the next model: INVALID_ARGUMENT, 400, `Invalid input shape - Node: <node> input: <tensor> Invalid shape - Expected: (..); Actual: (..)`',
  ),
  'pipelines.shards': supported(
    'a tensor is split on its first dimension, without a copy, and the dimension dropped; each shard is an inference of its own',
  ),
  'pipelines.no-shards': supported(
    'no shards: ABORTED, 204, `Pipeline execution aborted due to no content from custom node`',
  ),
  'pipelines.too-many-shards': supported(
    'more than 10000 shards: UNKNOWN, 500, `Too large dynamic demultiplication requested.`',
  ),
  'pipelines.count-at-run-time': supported(
    'another number of shards than the count: UNKNOWN, 500, `Wrong dimension size. Should match demultiply count`',
  ),
  'pipelines.gather': supported(
    'a gather joins shards under the sizes of its levels, outer to inner; the response gathers what nobody has gathered',
  ),
  'pipelines.uneven-shards': supported(
    'shards of different shapes: UNKNOWN, 500, `Gathered tensor shards dimensions are different`',
  ),
  'pipelines.session-keys': supported(
    'a session is called by its shards, `<demultiplexer>_<index>`, joined by `_`, innermost first',
  ),
  'pipelines.any-batch': supported(
    'a pipeline of one model with a dynamic demultiplexer takes any batch: `[n,1,...]` to `[n,1,...]`',
  ),
  'pipelines.ready-nodes': supported(
    'a node starts when its last input is there; what is ready at once starts at once',
  ),
  'pipelines.request-check': supported(
    'requests are checked as those to a model, under the name of the pipeline; a version that is asked for is ignored',
  ),
  'pipelines.shared-queue': supported(
    'nodes and direct requests share one queue of infer requests a model, first come, first served, with no limit of time',
  ),
  'pipelines.no-deadlock': supported('a hundred pipelines at once over one infer request a model all end'),
  'pipelines.first-error': supported(
    'the first error ends a request: nothing new starts, what runs is awaited, and it is told',
  ),
  'pipelines.custom-concurrency': different(
    '`execute` of a custom node holds the thread of its request',
    'executes on native threads: a slow node holds nothing but its own request',
  ),
  'pipelines.log': supported(
    'at DEBUG the steps of a request are logged in the words of the reference, those of the demo in its order',
  ),
} as const;

/** The life of pipelines beside that of their models. */
const life = {
  'pipelines.states': supported(
    'a definition goes through `BEGIN`, `RELOADING`, `LOADING_PRECONDITION_FAILED`, `..._REQUIRED_REVALIDATION`, `AVAILABLE`, `AVAILABLE_REQUIRED_REVALIDATION` and `RETIRED` by the same events',
  ),
  'pipelines.reported-states': supported(
    'reported as `LOADING`, `AVAILABLE` or `END`, with `FAILED_PRECONDITION` after a refused validation',
  ),
  'pipelines.wait': supported(
    'a request to a loading pipeline waits half a second, to a refused one not at all: UNAVAILABLE, 404, `Pipeline is not loaded yet`',
  ),
  'pipelines.retired': supported('a pipeline that left the file: NOT_FOUND, 404, `Pipeline is retired`'),
  'pipelines.reload-all': different(
    'any config.json that is read anew takes every pipeline down for a moment',
    'every pipeline is validated anew, and answers meanwhile',
  ),
  'pipelines.new-default': supported(
    'a new default version is used at once; one that does not fit refuses the pipeline',
  ),
  'pipelines.model-reloaded': different(
    'while a model is loaded again its pipelines wait for it',
    'they run on the version that serves on',
  ),
  'pipelines.model-gone': supported(
    'a model that leaves, or its only version: `Pipeline is not loaded yet`; other pipelines are not touched',
  ),
  'pipelines.pinned-gone': supported(
    'a pinned version that goes refuses its pipeline, and another version does not touch it',
  ),
  'pipelines.model-back': supported('a pipeline comes back by itself with its model'),
  'pipelines.model-to-auto': different(
    'a model that pipelines use cannot become auto: `Requested dynamic parameters but model is used in pipeline`',
    'it becomes so, and its pipelines are refused until it is back',
  ),
} as const;

/** Custom nodes of shared libraries. */
const custom = {
  'pipelines.abi': supported(
    'libraries with the six functions `initialize`, `deinitialize`, `execute`, `getInputsInfo`, `getOutputsInfo`, `release` load as they are',
  ),
  'pipelines.abi-precisions': supported('tensors come and go as FP32, FP16, U8, I8, I16, U16, I32, FP64, I64'),
  'pipelines.library-path': supported(
    '`base_path` of a library is absolute or belongs to the folder of config.json; `..` is refused',
  ),
  'pipelines.abi-initialize': supported(
    '`initialize` runs once a node and load of its pipeline, `deinitialize` when its last user is gone',
  ),
  'pipelines.abi-metadata': supported(
    'arrays of metadata are given back through `release`; a missing one, or a count of 0, refuses the pipeline',
  ),
  'pipelines.abi-memory': supported(
    'sizes and the array of outputs are released at once, data once nobody reads it, all through `release`, perhaps on another thread',
  ),
  'pipelines.abi-failed': supported('`execute` fails: UNKNOWN, 500, `Custom node failed during execution`'),
  'pipelines.abi-outputs': supported(
    'bad outputs: UNKNOWN, 500, `Custom node library has returned corrupted outputs handle`, `Custom node output has invalid content size`, `Custom node output is missing`',
  ),
  'pipelines.abi-reload': supported(
    'another path, other params and a library that goes or comes back reach the pipelines at the next reload',
  ),
} as const;

export const pipelines = { ...definition, ...validation, ...execution, ...life, ...custom };
