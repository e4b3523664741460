import type { NodeSignature } from '../node-instance.js';

/** How an initialized custom node is named across threads: its place in the process-wide registry, and its signature. Plain data. */
export interface CustomNodeReference {
  readonly customNodeId: number;
  /** Ports in the library's order. */
  readonly signature: NodeSignature;
}
