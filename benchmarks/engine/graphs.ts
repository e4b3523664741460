import { makePipelineSettings } from '#src/config/pipeline-settings.js';
import type { NodeConfig, PipelineConfig } from '#src/config/schema.js';
import { buildPipelineGraph } from '#src/dag/build-graph.js';
import { REQUEST_NODE, type ServableCatalogue, type ModelSignature } from '#src/dag/definition.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';

/** What all nodes run: `a = b + 1`, f32 [1,10]. */
export const MODEL = 'add';
export const WIDTH = 10;
const SIGNATURE: ModelSignature = { inputs: [port('b')], outputs: [port('a')] };
const CATALOGUE: ServableCatalogue = {
  isModelName: (name) => name === MODEL,
  signature: () => SIGNATURE,
  pipeline: () => undefined,
  userNodes: new Map(),
};

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

function build(nodes: readonly NodeConfig[], answered: readonly string[]): PipelineGraph {
  const config: PipelineConfig = {
    name: 'benchmark',
    inputs: ['x'],
    nodes: [...nodes],
    outputs: answered.map((name) => ({ [`y_${name}`]: { node_name: name, data_item: 'y' } })),
  };
  const context = { jsonPath: '', directory: '', warn: () => undefined };
  return buildPipelineGraph(makePipelineSettings(config, context), CATALOGUE);
}

function node(index: number, source: string): NodeConfig {
  return {
    name: nodeName(index),
    type: 'DL model',
    model_name: MODEL,
    inputs: [{ b: { node_name: source, data_item: source === REQUEST_NODE ? 'x' : 'y' } }],
    outputs: [{ data_item: 'a', alias: 'y' }],
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
