import type { NodeUnit } from './node-unit.js';

/** Where the tensors of a node go among the ports of what it runs. */
export interface PlannedNode {
  readonly unit: NodeUnit;
  /** For each input port of the unit, the index of the node input that feeds it. */
  readonly inputOfPort: readonly number[];
  /** For each output port of the unit, whether a node output reads it. */
  readonly wanted: readonly boolean[];
  /** For each node output, its output port. */
  readonly portOfOutput: readonly number[];
  /**
   * Input ports that are fed by other nodes, or by shards of the request joined again. Their tensors are compared with the port at
   * each execution: a source may be dynamic, and a default version may have changed since the pipeline was validated. What comes of
   * the request as it is was compared before it was admitted.
   */
  readonly checkedPorts: readonly number[];
}
