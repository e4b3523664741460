import type { NodeSettings, StatefulSettings } from '../config/settings.js';
import type { NodeSignature } from '../nodes/node-instance.js';
import type { UserNodeReference } from '../nodes/user-node-reference.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { NodeProgram } from './graph.js';

/** Names of the two ends of every pipeline; no node may take them. */
export const REQUEST_NODE = 'request';
export const RESPONSE_NODE = 'response';
/** The one output of a select node. */
export const SELECTED_OUTPUT = 'selected';

/** What validation must know of a model version, or of a pipeline that is a node of another. */
export interface ModelSignature extends NodeSignature {
  /** A model that follows the batch or the shape of each request, which no pipeline may use (as OVMS 2026.2.1); absent: not so. */
  readonly isAuto?: boolean;
  /** A stateful model, which no pipeline may use (as OVMS 2026.2.1); absent or `null`: not so. */
  readonly stateful?: StatefulSettings | null;
}

/** What a pipeline may use. */
export interface ServableCatalogue {
  /** Whether the name was ever taken by a model, retired ones included: names are not freed (as OVMS 2026.2.1). */
  isModelName(name: string): boolean;
  /** The signature of an available version of a model; `null` asks for the default one. */
  signature(name: string, version: number | null): ModelSignature | undefined;
  /** The same of a pipeline that has been built; never one that contains the pipeline that asks. */
  pipeline(name: string, version: number | null): ModelSignature | undefined;
  /** Nodes of users' own code, opened before the pipeline is built, by node name. */
  readonly userNodes: ReadonlyMap<string, UserNode>;
}

/** A node of a user's own code, ready for use by the owner workers. */
export interface UserNode {
  readonly reference: UserNodeReference;
  readonly signature: NodeSignature;
}

/** A node together with what it runs. */
export interface BoundNode {
  readonly settings: NodeSettings;
  readonly program: NodeProgram;
  readonly signature: ModelSignature;
}

export function findPort(ports: readonly TensorInfo[], name: string): TensorInfo | undefined {
  return ports.find((port) => port.name === name);
}

/** The output behind an alias; the last definition of an alias wins (as OVMS 2026.2.1). */
export function outputOfAlias(node: NodeSettings, alias: string): string | undefined {
  return node.outputs.findLast((output) => output.alias === alias)?.dataItem;
}

/** What one shard of a tensor looks like. */
export function shardOf(tensor: TensorInfo): TensorInfo {
  return { ...tensor, shape: tensor.shape.slice(1) };
}
