import { ServingError } from '../../errors.js';
import type { Arena } from '../../tensors/arena.js';
import { ELEMENT_BYTES } from '../../tensors/precision.js';
import { elementCount } from '../../tensors/shape.js';
import { Tensor } from '../../tensors/tensor.js';
import type { NodeExecuted } from '../node-instance.js';
import type { Precision } from './api.js';
import {
  staticShape,
  type ExecuteTask,
  type ExecutedResult,
  type NodeDescription,
  type OutputPlace,
} from './protocol.js';

/** A node as its pool knows it. */
export interface PooledNode {
  /** Within the pool. */
  readonly id: number;
  readonly description: NodeDescription;
  readonly timeoutMs: number;
  readonly arena: Arena;
}

/** One execution on the owner's side: its memory, and the one call of `done`. */
export class Execution {
  readonly node: PooledNode;
  readonly #inputs: readonly Tensor[];
  readonly #wanted: readonly boolean[];
  readonly #done: NodeExecuted;
  /** Leased when the execution is handed to a thread, for the wanted outputs whose shape is fixed. */
  #targets: readonly (Tensor | null)[] = [];
  #isDone = false;

  constructor(node: PooledNode, inputs: readonly Tensor[], wanted: readonly boolean[], done: NodeExecuted) {
    this.node = node;
    this.#inputs = inputs;
    this.#wanted = wanted;
    this.#done = done;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** @throws ServingError OUT_OF_MEMORY; then nothing is leased. */
  toTask(slot: number): ExecuteTask {
    this.#targets = this.#leaseTargets();
    const task: ExecuteTask = {
      kind: 'execute',
      node: this.node.id,
      description: this.node.description,
      slot,
      inputs: this.#inputs.map(({ lease, byteOffset, precision, shape }) => ({
        buffer: lease.buffer,
        byteOffset,
        precision: precision as Precision,
        shape,
      })),
      outputs: this.#targets.map((target, index) => {
        if (target !== null) return { buffer: target.lease.buffer, byteOffset: target.byteOffset };
        return this.#wanted[index] === true ? 'allocate' : 'discard';
      }),
    };
    return task;
  }

  /** Gives the output regions back, so only when no thread can write them any more. The first call counts. */
  fail(error: ServingError, micros = 0): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.releaseTargets();
    this.#done(error, null, micros, 0);
  }

  succeed(result: ExecutedResult): void {
    if (this.#isDone) return;
    let outputs: (Tensor | null)[];
    try {
      outputs = this.#toTensors(result);
    } catch (error) {
      return this.fail(outOfMemory(error), result.micros);
    }
    this.#isDone = true;
    this.releaseTargets();
    this.#done(null, outputs, result.micros, result.copiedBytes);
  }

  releaseTargets(): void {
    for (const target of this.#targets) target?.release();
    this.#targets = [];
  }

  #leaseTargets(): (Tensor | null)[] {
    const leased: Tensor[] = [];
    try {
      return this.node.description.signature.outputs.map((info, index) => {
        const shape = staticShape(info);
        if (shape === null || this.#wanted[index] !== true) return null;
        const lease = this.node.arena.lease(elementCount(shape)! * ELEMENT_BYTES[info.precision]);
        leased.push(new Tensor(info.precision, shape, lease));
        return leased.at(-1)!;
      });
    } catch (error) {
      for (const tensor of leased) tensor.release();
      throw outOfMemory(error);
    }
  }

  /** Each output gets a use of its own of the region it lies in, which may be an input's or that of several outputs. */
  #toTensors({ outputs, fresh }: ExecutedResult): (Tensor | null)[] {
    const adopted: Tensor['lease'][] = [];
    const made: Tensor[] = [];
    try {
      for (const buffer of fresh) adopted.push(this.node.arena.adopt(buffer, 0, buffer.byteLength));
      return outputs.map((place, index) => {
        if (place === null) return null;
        const { precision } = this.node.description.signature.outputs[index]!;
        made.push(this.#toTensor(place, precision, adopted));
        return made.at(-1)!;
      });
    } catch (error) {
      for (const tensor of made) tensor.release();
      throw error;
    } finally {
      for (const lease of adopted) lease.release();
    }
  }

  #toTensor(place: OutputPlace, precision: Tensor['precision'], adopted: readonly Tensor['lease'][]): Tensor {
    const { from, index, start, shape } = place;
    if (from === 'nothing') return new Tensor(precision, shape, this.node.arena.lease(0));
    const base = from === 'input' ? this.#inputs[index]! : from === 'target' ? this.#targets[index]! : null;
    const lease = base?.lease ?? adopted[index]!;
    lease.retain(1);
    return new Tensor(precision, shape, lease, (base?.start ?? 0) + start);
  }
}

function outOfMemory(cause: unknown): ServingError {
  return cause instanceof ServingError ? cause : new ServingError('OUT_OF_MEMORY', String(cause), { cause });
}
