import { ServingError } from '../../errors.js';
import type { BindingTable } from '../../inference/binding-table.js';
import type { CompletionListener, CompletionRing } from '../../inference/completion-ring.js';
import type { CustomExecutionHandle, CustomNodeHandle, CustomNodeOutput, NativeBinding } from '../../native/binding.js';
import { fromNativeStatus } from '../../native/errors.js';
import type { Arena, Lease } from '../../tensors/arena.js';
import { Tensor } from '../../tensors/tensor.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { NodeExecuted } from '../node-instance.js';

/** One run of a custom node, from start to `done`. */
export class CustomExecution implements CompletionListener {
  readonly #binding: NativeBinding;
  readonly #arena: Arena;
  readonly #outputs: readonly TensorInfo[];
  readonly #wanted: readonly boolean[];
  /** `null` once it was called. */
  #done: NodeExecuted | null;
  #handle: CustomExecutionHandle | null = null;

  constructor(
    binding: NativeBinding,
    arena: Arena,
    outputs: readonly TensorInfo[],
    wanted: readonly boolean[],
    done: NodeExecuted,
  ) {
    this.#binding = binding;
    this.#arena = arena;
    this.#outputs = outputs;
    this.#wanted = wanted;
    this.#done = done;
  }

  start(ring: CompletionRing, node: CustomNodeHandle, table: BindingTable, inputs: readonly Tensor[]): void {
    const fault = table.write(inputs, []);
    if (fault !== null) this.#end(new ServingError('TENSOR_BINDING_FAILED', fault), null, 0, 0);
    else this.#handle = ring.startCustomNode(node, table.numbers, this);
  }

  /** What is still queued ends here; its completion, which follows, tells nobody. What runs is waited for. */
  withdraw(error: ServingError): void {
    if (this.#handle === null || !this.#binding.withdrawCustomExecution(this.#handle)) return;
    this.#end(error, null, 0, 0);
  }

  complete(status: number, micros: number, text: string): void {
    const handle = this.#handle!;
    this.#handle = null;
    const collected = status === 0 && this.#done !== null ? this.#collect(handle) : null;
    this.#binding.closeCustomExecution(handle);
    if (status !== 0) this.#end(fromNativeStatus(status, text), null, micros, 0);
    else if (collected instanceof ServingError) this.#end(collected, null, micros, 0);
    else if (collected !== null) this.#end(null, collected, micros, totalBytes(collected));
  }

  #end(error: ServingError | null, outputs: readonly (Tensor | null)[] | null, micros: number, copied: number): void {
    const done = this.#done;
    this.#done = null;
    done?.(error, outputs, micros, copied);
  }

  /** The library's order is its own affair, and what the signature does not name is nobody's (as OVMS 2026.2.1). */
  #collect(handle: CustomExecutionHandle): (Tensor | null)[] | ServingError {
    const returned = this.#binding.describeCustomOutputs(handle);
    const tensors: (Tensor | null)[] = [];
    for (const [index, { name }] of this.#outputs.entries()) {
      const tensor = this.#wanted[index] === true ? this.#fetch(handle, returned, name) : null;
      if (tensor instanceof ServingError) {
        for (const fetched of tensors) fetched?.release();
        return tensor;
      }
      tensors.push(tensor);
    }
    return tensors;
  }

  #fetch(handle: CustomExecutionHandle, returned: readonly CustomNodeOutput[], name: string): Tensor | ServingError {
    const index = returned.findIndex((output) => output.name === name);
    const output = returned[index];
    if (output === undefined) {
      const names = returned.map((other) => other.name).join(', ');
      return new ServingError('CUSTOM_NODE_OUTPUT_MISSING', `expected ${name}, received ${names}`);
    }
    const lease = this.#lease(output.byteLength);
    if (lease instanceof ServingError) return lease;
    this.#binding.copyCustomOutput(handle, index, lease.slabId, lease.byteOffset);
    return new Tensor(output.precision, output.dimensions, lease);
  }

  #lease(byteLength: number): Lease | ServingError {
    try {
      return this.#arena.lease(byteLength);
    } catch (error) {
      return new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
    }
  }
}

function totalBytes(tensors: readonly (Tensor | null)[]): number {
  return tensors.reduce((bytes, tensor) => bytes + (tensor?.byteLength ?? 0), 0);
}
