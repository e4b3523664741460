import { types } from 'node:util';
import type { BoundTensor } from '../inference/binding-table.js';
import type { Shape } from '../tensors/shape.js';
import type { Port } from './port.js';
import type { SlabHolds } from './slab-holds.js';
import { bytesOf, type Tensor } from './tensor.js';

/**
 * A tensor set on a port of an infer request. Shared memory is handed to OpenVINO as it is; other memory is copied through a staging
 * buffer, which stays for the next inferences.
 */
export class BoundPort {
  readonly #port: Port;
  readonly #holds: SlabHolds;
  #tensor: Tensor;
  /** An inference may leave a dynamic output smaller; the next one starts from what was set. */
  #outputShape: Shape;
  #staging: SharedArrayBuffer | null = null;
  #registered: { readonly buffer: ArrayBufferLike; readonly slabId: number } | null = null;

  /** @throws TypeError when the port cannot take the tensor */
  constructor(port: Port, tensor: Tensor, holds: SlabHolds) {
    port.check(tensor);
    this.#port = port;
    this.#holds = holds;
    this.#tensor = tensor;
    this.#outputShape = tensor.getShape();
  }

  get tensor(): Tensor {
    return this.#tensor;
  }

  /** Puts another tensor in the place of this one. Memory that is not shared goes through the same staging buffer. */
  replace(tensor: Tensor): void {
    this.#port.check(tensor);
    this.#tensor = tensor;
    this.#outputShape = tensor.getShape();
  }

  /** Where the inference that starts now finds the tensor. */
  place(): BoundTensor {
    if (this.#port.kind === 'output') this.#tensor.setShape(this.#outputShape);
    const { data } = this.#tensor;
    const shape = this.#tensor.getShape();
    if (types.isSharedArrayBuffer(data.buffer)) {
      this.#staging = null;
      return { slabId: this.#register(data.buffer), byteOffset: data.byteOffset, shape };
    }
    const slabId = this.#register(this.#stagingBuffer(data.byteLength));
    if (this.#port.kind === 'input') this.#holds.copyIn(slabId, bytesOf(data));
    return { slabId, byteOffset: 0, shape };
  }

  /** Makes an output show what an inference has left. */
  collect(shape: Shape): void {
    this.#tensor.setShape(shape);
    const bytes = bytesOf(this.#tensor.data);
    if (this.#staging !== null) bytes.set(new Uint8Array(this.#staging, 0, bytes.byteLength));
  }

  #register(buffer: SharedArrayBuffer): number {
    if (this.#registered?.buffer === buffer) return this.#registered.slabId;
    if (this.#registered !== null) this.#holds.release(this.#registered.slabId);
    this.#registered = null;
    const slabId = this.#holds.register(buffer);
    this.#registered = { buffer, slabId };
    return slabId;
  }

  #stagingBuffer(bytes: number): SharedArrayBuffer {
    const size = Math.max(bytes, 1);
    if (this.#staging?.byteLength !== size) this.#staging = new SharedArrayBuffer(size);
    return this.#staging;
  }
}
