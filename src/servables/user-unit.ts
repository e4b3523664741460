import type { NodeInstance, Withdraw } from '../nodes/node-instance.js';
import type { UserNodeReference } from '../nodes/user-node-reference.js';
import type { CopyReason } from '../tensors/copy-counter.js';
import { HeldUnit } from './held-unit.js';
import { failed, runtimePort, type NodeUnit, type RuntimePort, type UnitSession } from './node-unit.js';

/** A node of a user's own code in one owner worker. */
export class UserUnit extends HeldUnit implements NodeUnit {
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  readonly #instance: NodeInstance;
  readonly #reason: CopyReason;

  constructor({ kind, signature }: UserNodeReference, instance: NodeInstance) {
    super();
    this.inputs = signature.inputs.map(runtimePort);
    this.outputs = signature.outputs.map(runtimePort);
    this.#instance = instance;
    this.#reason = kind === 'custom' ? 'custom_node_output' : 'js_node_output';
  }

  /** The instance queues on threads of its own, so when a session started is known only at its end. */
  start(session: UnitSession): Withdraw {
    return this.#instance.execute(session.inputs, session.wanted, (error, outputs, micros, copiedBytes) => {
      // Withdrawn while it waited: it never began.
      if (error === null || micros > 0) session.started(micros);
      session.context.arena.copies.count(this.#reason, copiedBytes);
      session.ended(error === null ? { error, outputs: outputs!, micros, copiedBytes } : failed(error, micros));
    });
  }

  protected override close(): void {
    this.#instance.close();
  }
}
