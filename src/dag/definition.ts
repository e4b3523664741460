import type { NodeSettings } from '../config/settings.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** Names of the two ends of every pipeline; no node may take them. */
export const REQUEST_NODE = 'request';
export const RESPONSE_NODE = 'response';

/** What validation must know of a model version. */
export interface ModelSignature {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** The models a pipeline may use. */
export interface ModelCatalogue {
  /** Whether the name was ever taken by a model, retired ones included: names are not freed (as OVMS 2026.2.1). */
  isModelName(name: string): boolean;
  /** The signature of an available version; `null` asks for the default one. */
  signature(name: string, version: number | null): ModelSignature | undefined;
}

/** A DL model node together with the model it runs. */
export interface BoundNode {
  readonly settings: NodeSettings;
  readonly modelName: string;
  readonly signature: ModelSignature;
}

export function findPort(ports: readonly TensorInfo[], name: string): TensorInfo | undefined {
  return ports.find((port) => port.name === name);
}

/** The model output behind an alias; the last definition of an alias wins (as OVMS 2026.2.1). */
export function outputOfAlias(node: NodeSettings, alias: string): string | undefined {
  return node.outputs.findLast((output) => output.alias === alias)?.dataItem;
}
