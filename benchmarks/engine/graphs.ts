import type { NodeInputSettings, NodeSettings, PipelineSettings } from '#src/config/settings.js';
import { buildPipelineGraph } from '#src/dag/build-graph.js';
import { REQUEST_NODE, type ModelCatalogue, type ModelSignature } from '#src/dag/definition.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';

/** What all nodes run: `a = b + 1`, f32 [1,10]. */
export const MODEL = 'add';
export const WIDTH = 10;
const SIGNATURE: ModelSignature = { inputs: [port('b')], outputs: [port('a')] };
const CATALOGUE: ModelCatalogue = { isModelName: (name) => name === MODEL, signature: () => SIGNATURE };

/** A pipeline, and what it makes of zeros. */
export interface BenchmarkGraph {
  readonly name: string;
  readonly graph: PipelineGraph;
  readonly expected: number;
}

/** One after the other: each node waits for the one before. */
export function chain(length: number): BenchmarkGraph {
  const nodes = Array.from({ length }, (_, index) => node(index, index === 0 ? REQUEST_NODE : nodeName(index - 1)));
  return { name: `chain of ${length}`, graph: build(nodes, [nodeName(length - 1)]), expected: length };
}

/** All at once: every node reads the request, every output is answered. */
export function fan(width: number): BenchmarkGraph {
  const nodes = Array.from({ length: width }, (_, index) => node(index, REQUEST_NODE));
  const graph = build(
    nodes,
    nodes.map(({ name }) => name),
  );
  return { name: `fan of ${width}`, graph, expected: 1 };
}

function build(nodes: readonly NodeSettings[], answered: readonly string[]): PipelineGraph {
  const pipeline: PipelineSettings = {
    name: 'benchmark',
    jsonPath: '',
    inputs: ['x'],
    nodes,
    outputs: answered.map((nodeName) => ({ output: `y_${nodeName}`, nodeName, dataItem: 'y', jsonPath: '' })),
    demultiplyCount: null,
    onEmpty: 'error',
  };
  return buildPipelineGraph(pipeline, CATALOGUE);
}

function node(index: number, source: string): NodeSettings {
  const input: NodeInputSettings = {
    input: 'b',
    nodeName: source,
    dataItem: source === REQUEST_NODE ? 'x' : 'y',
    jsonPath: '',
  };
  return {
    name: nodeName(index),
    jsonPath: '',
    type: 'DL model',
    modelName: MODEL,
    version: null,
    libraryName: null,
    params: {},
    inputs: [input],
    outputs: [{ dataItem: 'a', alias: 'y', jsonPath: '' }],
    demultiplyCount: null,
    onEmpty: 'error',
    gatherFromNode: null,
  };
}

function nodeName(index: number): string {
  return `node_${index}`;
}

function port(name: string): TensorInfo {
  return {
    name,
    precision: 'FP32',
    shape: [1, WIDTH].map((size) => ({ min: size, max: size })),
    layout: 'N...',
  };
}
