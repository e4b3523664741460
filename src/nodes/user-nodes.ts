import { ServingError } from '../errors.js';
import { CompletionRing } from '../inference/completion-ring.js';
import { loadNativeBinding } from '../native/load.js';
import type { LoggingOptions } from '../observability/logger.js';
import type { Arena } from '../tensors/arena.js';
import { openCustomNode } from './custom/open-custom-node.js';
import { JsNodes } from './js/js-nodes.js';
import type { NodeInstance } from './node-instance.js';
import type { UserNodeReference } from './user-node-reference.js';

/** The nodes of users' own code in one owner worker, used on its thread only. */
export class UserNodes {
  readonly #arena: Arena;
  readonly #isNative: boolean;
  readonly #js: JsNodes;

  /** @param isNative whether the arena's slabs are known to the addon, which hands them to shared libraries. */
  constructor(arena: Arena, isNative: boolean, logging: LoggingOptions) {
    this.#arena = arena;
    this.#isNative = isNative;
    this.#js = new JsNodes({ logging });
  }

  /** @throws ServingError BACKEND_MISSING for a shared library without the addon's memory */
  open(reference: UserNodeReference): NodeInstance {
    if (reference.kind === 'js') return this.#js.open(reference.js, this.#arena, reference.title);
    if (!this.#isNative)
      throw new ServingError('BACKEND_MISSING', `${reference.title}: custom nodes need --backend native`);
    const binding = loadNativeBinding();
    return openCustomNode(binding, CompletionRing.of(binding), this.#arena, reference.custom);
  }

  /** Ends all threads of modules; every instance is closed. */
  close(): Promise<void> {
    return this.#js.close();
  }
}
