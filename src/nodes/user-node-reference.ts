import type { NodeSignature } from './node-instance.js';

/** Names a node of a user's own code across threads. Plain data. */
export interface UserNodeReference {
  readonly kind: 'custom' | 'js';
  /** Nodes with the same key are the same to an owner worker, which opens them once. */
  readonly key: string;
  readonly signature: NodeSignature;
}
