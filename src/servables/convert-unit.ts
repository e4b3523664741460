import { CONVERTED } from '../dag/graph-draft.js';
import { ServingError } from '../errors.js';
import type { Withdraw } from '../nodes/node-instance.js';
import { convertedShape, type Conversion } from '../tensors/conversion.js';
import { convertTensor } from '../tensors/convert.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import { Tensor } from '../tensors/tensor.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import {
  failed,
  runtimePort,
  type NodeUnit,
  type RuntimePort,
  type SessionEnd,
  type UnitSession,
} from './node-unit.js';

/** A conversion between two nodes, on the owner worker's own thread: it moves memory and takes no longer than a copy of it. */
export class ConvertUnit implements NodeUnit {
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  readonly #conversion: Conversion;

  constructor(conversion: Conversion, source: TensorInfo, target: TensorInfo) {
    this.#conversion = conversion;
    this.inputs = [runtimePort({ ...source, name: CONVERTED })];
    this.outputs = [runtimePort({ ...target, name: CONVERTED })];
  }

  hold(): void {
    // Nothing to keep open.
  }

  letGo(): void {
    // Nothing to close.
  }

  start(session: UnitSession): Withdraw {
    session.started();
    session.ended(this.#convert(session));
    return () => undefined;
  }

  #convert({ inputs, context }: UnitSession): SessionEnd {
    const [source] = inputs;
    const { precision } = this.outputs[0]!.info;
    const shape = convertedShape(source!.shape, this.#conversion);
    const begun = performance.now();
    try {
      const target = new Tensor(precision, shape, context.arena.lease(elementCount(shape)! * ELEMENT_BYTES[precision]));
      convertTensor(source!, target, this.#conversion);
      context.arena.copies.count('conversion', target.byteLength);
      const micros = Math.round((performance.now() - begun) * 1000);
      return { error: null, outputs: [target], micros, copiedBytes: target.byteLength };
    } catch (error) {
      return failed(new ServingError('OUT_OF_MEMORY', String(error), { cause: error }));
    }
  }
}
