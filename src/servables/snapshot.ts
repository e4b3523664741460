import type { BatchingSettings, StatefulSettings } from '../config/settings.js';
import type { PipelineGraph } from '../dag/graph.js';
import type { CompiledModelReference } from '../inference/inference.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { ServableState, StateErrorCode, VersionStatus } from './serving.js';

/**
 * Everything the data plane knows of the servables at one moment. The control plane makes a new one at every change and sends it
 * to each owner worker, which swaps one reference: nobody ever sees half of a change. Plain data, frozen by being copied.
 */
export interface ServablesSnapshot {
  /** Counts up by one at every change; 0 before the configuration was read. */
  readonly epoch: number;
  /** Whether the first load pass has ended, with whatever faults. Never goes back. */
  readonly isLoaded: boolean;
  /** In the order of the configuration. */
  readonly models: readonly ModelSnapshot[];
  readonly pipelines: readonly PipelineSnapshot[];
}

export interface ModelSnapshot {
  readonly name: string;
  /** All versions ever seen, ascending. */
  readonly versions: readonly ModelVersionSnapshot[];
  /** Present while nobody has looked for its versions since the configuration listed it, or listed it at another path. */
  readonly awaitsScan?: boolean;
}

export interface ModelVersionSnapshot extends VersionStatus {
  /** Present while the version can be asked: AVAILABLE. */
  readonly serving: ServingModel | null;
}

/** A compiled version with the names clients use. */
export interface ServingModel {
  readonly reference: CompiledModelReference;
  /** Infer requests of all owner workers together, at least 1. */
  readonly nireq: number;
  /** In the order of the model's ports. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** Follows the batch or the shape of each request (`auto`): what its inference refuses is a shape it cannot take. */
  readonly isAuto: boolean;
  /** `null`: not a stateful model. */
  readonly stateful: StatefulSettings | null;
  /** `null`: each request is inferred by itself. */
  readonly batching: BatchingSettings | null;
}

export interface PipelineSnapshot {
  readonly name: string;
  /** `null`: the pipeline has no versions, answers as version 1 and ignores what a request asks for (as OVMS 2026.2.1). */
  readonly version: number | null;
  readonly state: ServableState;
  readonly errorCode: StateErrorCode;
  /** Present when the definition is valid now. */
  readonly graph: PipelineGraph | null;
}

export const EMPTY_SNAPSHOT: ServablesSnapshot = { epoch: 0, isLoaded: false, models: [], pipelines: [] };

/** Highest available version, or `null` (as OVMS 2026.2.1). */
export function defaultVersion(model: ModelSnapshot): ModelVersionSnapshot | null {
  return model.versions.findLast((version) => version.state === 'AVAILABLE') ?? null;
}
