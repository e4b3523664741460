import type { CustomNodeReference } from './custom/custom-node-reference.js';
import type { JsNodeReference } from './js/reference.js';
import type { NodeSignature } from './node-instance.js';

/** Names a node of a user's own code across threads. Plain data. */
export type UserNodeReference = UserNodeIdentity &
  (
    | { readonly kind: 'custom'; readonly custom: CustomNodeReference }
    | { readonly kind: 'js'; readonly js: JsNodeReference }
  );

interface UserNodeIdentity {
  /** Differs whenever the node is to be opened anew: owner workers keep what has the same key. */
  readonly key: string;
  /** Pipeline and node, for errors and logs. */
  readonly title: string;
  readonly signature: NodeSignature;
}
