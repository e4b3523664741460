import type { UserNodeReference } from '../nodes/user-node-reference.js';
import type { Conversion } from '../tensors/conversion.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { GraphCondition } from './condition.js';

/**
 * A validated pipeline, frozen: names have become indices. Plain data, because it crosses from the control plane to the owner
 * workers by structured clone. A model that is called by itself is a graph of one node.
 *
 * A *value* is one tensor of an execution: a pipeline input or one output of one node. A *level* is a depth of demultiplexing: level
 * 0 is the request itself, and each demultiplexer opens one below that of its node, in which every node runs once a shard.
 */
export interface PipelineGraph {
  readonly name: string;
  /** Only pipelines say in the log what their nodes do. */
  readonly kind: 'model' | 'pipeline';
  /** Sorted by name; inputs that nothing is connected to are left out (as OVMS 2026.2.1). */
  readonly inputs: readonly GraphPort[];
  /** Sorted by name. What is still demultiplexed is gathered on the way out. */
  readonly outputs: readonly GraphPort[];
  readonly nodes: readonly GraphNode[];
  /** Level 0 first; a level stands behind its parent. */
  readonly levels: readonly GraphLevel[];
  readonly values: readonly GraphValue[];
}

/** One depth of demultiplexing. */
export interface GraphLevel {
  /** Name of the demultiplexer, `request` for the entry; empty for level 0. */
  readonly demultiplexer: string;
  /** Level of the demultiplexer itself; -1 for level 0. */
  readonly parent: number;
  /** Shards the configuration asks for; -1: as many as the first dimension says. */
  readonly count: number;
  /** Whether no shard at all is an answer, of tensors without elements, and not the end of the request. */
  readonly allowsEmpty: boolean;
}

export interface GraphValue {
  /** One shard of it as its level sees it: what is known of the value when there is none. */
  readonly info: TensorInfo;
  /** Level whose nodes read the value as it is: behind the split where its node demultiplexes. */
  readonly level: number;
  /** How many readers it has, pipeline outputs and conditions among them; in a level, each shard has as many. */
  readonly uses: number;
}

/** An end of the graph: what the client sees, and the value behind it. */
export interface GraphPort {
  readonly info: TensorInfo;
  readonly value: number;
}

export interface GraphNode {
  readonly index: number;
  readonly name: string;
  readonly program: NodeProgram;
  /** The level it runs in, once a shard. */
  readonly level: number;
  /** The level its outputs open, or `null` when it is no demultiplexer. */
  readonly opens: number | null;
  readonly inputs: readonly NodeInput[];
  /** Every output that is read by somebody. */
  readonly outputs: readonly NodeOutput[];
  /** The node runs only where this holds, else it is skipped; `null`: it always runs. */
  readonly condition: GraphCondition | null;
  /** The execution ends with what it has as soon as one of these holds of the node's outputs. */
  readonly exits: readonly GraphCondition[];
  /** Nodes whose outputs this one reads; it starts when as many have ended. */
  readonly dependencyCount: number;
  /** Indices of the nodes that read an output of this one, each once. */
  readonly dependants: readonly number[];
}

/** What a node does with its inputs. */
export type NodeProgram =
  /** @param version `null`: the default version, resolved at each execution (as OVMS 2026.2.1). */
  | { readonly kind: 'model'; readonly modelName: string; readonly version: number | null }
  /** A user's own code: a shared library or a JavaScript module. */
  | { readonly kind: 'user'; readonly reference: UserNodeReference }
  /** Another pipeline, as one node. */
  | { readonly kind: 'pipeline'; readonly pipelineName: string; readonly version: number | null }
  /** Changes precision and layout of one tensor. */
  | { readonly kind: 'convert'; readonly conversion: Conversion }
  /** Passes on the first of its inputs that was not skipped. */
  | { readonly kind: 'select' };

export interface NodeInput {
  /** Name of the input of what the node runs. */
  readonly name: string;
  readonly value: number;
  /** Whether the node reads the region that the source wrote; else shards are joined for it, which is one copy. */
  readonly isInPlace: boolean;
}

export interface NodeOutput {
  /** Name of the output of what the node runs. */
  readonly name: string;
  readonly value: number;
}

export const ROOT_LEVEL: GraphLevel = Object.freeze({ demultiplexer: '', parent: -1, count: 1, allowsEmpty: false });

/** The graph of a direct call: one node, every input fed by the client, every output returned. */
export function modelGraph(
  name: string,
  version: number,
  inputs: readonly TensorInfo[],
  outputs: readonly TensorInfo[],
): PipelineGraph {
  const graphInputs = byName(inputs).map((info, value) => ({ info, value }));
  const graphOutputs = byName(outputs).map((info, index) => ({ info, value: inputs.length + index }));
  const node: GraphNode = {
    index: 0,
    name,
    program: { kind: 'model', modelName: name, version },
    level: 0,
    opens: null,
    inputs: graphInputs.map(({ info, value }) => ({ name: info.name, value, isInPlace: true })),
    outputs: graphOutputs.map(({ info, value }) => ({ name: info.name, value })),
    condition: null,
    exits: [],
    dependencyCount: 0,
    dependants: [],
  };
  return {
    name,
    kind: 'model',
    inputs: graphInputs,
    outputs: graphOutputs,
    nodes: [node],
    levels: [ROOT_LEVEL],
    values: [...graphInputs, ...graphOutputs].map(({ info }) => ({ info, level: 0, uses: 1 })),
  };
}

/** Names in the order of their bytes, which is the order the reference checks and answers in. */
export function byName<T extends { readonly name: string }>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => compareNames(a.name, b.name));
}

export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
