import { BindingTable } from '../../inference/binding-table.js';
import type { CompletionRing } from '../../inference/completion-ring.js';
import type { NativeBinding } from '../../native/binding.js';
import type { Arena } from '../../tensors/arena.js';
import type { NodeInstance } from '../node-instance.js';
import { CustomExecution } from './custom-execution.js';
import type { CustomNodeReference } from './custom-node-reference.js';

/**
 * Opens a custom node in this environment. The library executes on native threads, several executions at once if there are; what
 * ends comes back through the ring. It reads the inputs where they lie; its outputs are copied once, from its memory into leases of
 * the arena.
 *
 * @throws Error with the code NOT_INITIALIZED when the control plane has released the node
 */
export function openCustomNode(
  binding: NativeBinding,
  ring: CompletionRing,
  arena: Arena,
  { customNodeId, signature }: CustomNodeReference,
): NodeInstance {
  const node = binding.openCustomNode(customNodeId);
  // Native code reads it within the start, so all executions share it.
  const table = new BindingTable(signature.inputs.length, 0);
  return {
    execute(inputs, wanted, done) {
      const execution = new CustomExecution(binding, arena, signature.outputs, wanted, done);
      execution.start(ring, node, table, inputs);
      return (error) => execution.withdraw(error);
    },
    close: () => binding.closeCustomNode(node),
  };
}
