import { ELEMENT_BYTES } from '../../tensors/precision.js';
import { accepts, elementCount, formatPartialShape, formatShape, type Shape } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { Data, Precision, Tensor } from './api.js';
import { elementArray, elementArrayName } from '../../tensors/elements.js';
import { ModuleFault, show } from './module-fault.js';
import { staticShape, type ExecuteTask, type OutputPlace, type TaskInput } from './protocol.js';

/** An output as it was returned, found to be what the signature says. */
interface CheckedOutput {
  readonly shape: Shape;
  readonly data: Data;
}

/**
 * The outputs of one execution: hands out memory for them, checks what `execute` returned against the signature, and tells where
 * each output lies. What lies nowhere that the owner knows is copied, once.
 */
export class NodeOutputs {
  readonly #task: ExecuteTask;
  readonly #infos: readonly TensorInfo[];
  /** Memory handed out for outputs whose shape is not known beforehand. */
  readonly #allocated: SharedArrayBuffer[] = [];
  readonly #handedOut = new Set<number>();
  readonly #fresh: SharedArrayBuffer[] = [];
  #copiedBytes = 0;

  constructor(task: ExecuteTask, infos: readonly TensorInfo[]) {
    this.#task = task;
    this.#infos = infos;
  }

  get fresh(): readonly SharedArrayBuffer[] {
    return this.#fresh;
  }

  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  isWanted(name: string): boolean {
    return this.#task.outputs[this.#indexOf(name)] !== 'discard';
  }

  /** @throws ModuleFault when the signature has no such output or does not allow the shape */
  allocate(name: string, asked: Shape | undefined): Tensor {
    const index = this.#indexOf(name);
    const info = this.#infos[index]!;
    const shape = asked ?? staticShape(info);
    if (shape === null) throw new ModuleFault(`allocate ${show(name)}: expected a shape, because it is not fixed`);
    checkShape(shape, info, 'allocate');
    const precision = info.precision as Precision;
    return { name, precision, shape, data: this.#memory(index, precision, elementCount(shape)!) };
  }

  /** @throws ModuleFault that names the output, what was expected and what was received */
  place(result: unknown): (OutputPlace | null)[] {
    if (Array.isArray(result)) throw new ModuleFault('expected a record of outputs, received a list');
    if (typeof result !== 'object' || result === null || ArrayBuffer.isView(result)) {
      throw new ModuleFault(`expected a record of outputs, received ${show(result)}`);
    }
    const known = new Set(this.#infos.map(({ name }) => name));
    const stranger = Object.keys(result).find((name) => !known.has(name));
    if (stranger !== undefined) {
      throw new ModuleFault(`output ${show(stranger)}: expected one of ${[...known].join(', ')}`);
    }
    return this.#infos.map((info, index) => this.#placeOne(info, index, result as Record<string, unknown>));
  }

  #placeOne(info: TensorInfo, index: number, result: Record<string, unknown>): OutputPlace | null {
    const value = Object.hasOwn(result, info.name) ? result[info.name] : undefined;
    const isWanted = this.#task.outputs[index] !== 'discard';
    if (value === undefined) {
      if (!isWanted) return null;
      const expected = `${info.precision} of shape ${formatPartialShape(info.shape)}`;
      throw new ModuleFault(`output ${show(info.name)}: expected ${expected}, received nothing`);
    }
    const output = checkOutput(value, info);
    return isWanted ? this.#locate(output, info, index) : null;
  }

  #locate({ shape, data }: CheckedOutput, info: TensorInfo, index: number): OutputPlace {
    if (data.byteLength === 0) return { from: 'nothing', index: 0, start: 0, shape };
    const { inputs, outputs } = this.#task;
    const input = inputs.findIndex((candidate) => lies(data, candidate, inputBytes(candidate)));
    if (input !== -1) return { from: 'input', index: input, start: data.byteOffset - inputs[input]!.byteOffset, shape };
    const target = outputs.findIndex(
      (candidate, at) => typeof candidate === 'object' && lies(data, candidate, fixedBytes(this.#infos[at]!)),
    );
    if (target !== -1) {
      const { byteOffset } = outputs[target] as { byteOffset: number };
      return { from: 'target', index: target, start: data.byteOffset - byteOffset, shape };
    }
    const allocated = this.#allocated.find((buffer) => buffer === data.buffer);
    if (allocated !== undefined) return this.#inFresh(allocated, data.byteOffset, shape);
    return this.#copy(data, info, index, shape);
  }

  /** Into the leased region, unless the author has been given it and may have returned it under another name. */
  #copy(data: Data, info: TensorInfo, index: number, shape: Shape): OutputPlace {
    this.#copiedBytes += data.byteLength;
    const target = this.#task.outputs[index]!;
    const isFree = typeof target === 'object' && !this.#handedOut.has(index);
    const buffer = isFree ? target.buffer : new SharedArrayBuffer(data.byteLength);
    const offset = isFree ? target.byteOffset : 0;
    const copy = elementArray(info.precision as Precision, buffer, offset, data.length);
    (copy as Uint8Array).set(data as Uint8Array);
    return isFree ? { from: 'target', index, start: 0, shape } : this.#inFresh(buffer, 0, shape);
  }

  #inFresh(buffer: SharedArrayBuffer, start: number, shape: Shape): OutputPlace {
    const known = this.#fresh.indexOf(buffer);
    const index = known === -1 ? this.#fresh.push(buffer) - 1 : known;
    return { from: 'fresh', index, start, shape };
  }

  #memory(index: number, precision: Precision, count: number): Data {
    const target = this.#task.outputs[index]!;
    const byteLength = count * ELEMENT_BYTES[precision];
    if (target === 'discard') return elementArray(precision, new ArrayBuffer(byteLength), 0, count);
    this.#handedOut.add(index);
    if (target !== 'allocate') return elementArray(precision, target.buffer, target.byteOffset, count);
    const buffer = new SharedArrayBuffer(byteLength);
    this.#allocated.push(buffer);
    return elementArray(precision, buffer, 0, count);
  }

  #indexOf(name: string): number {
    const index = this.#infos.findIndex((info) => info.name === name);
    if (index !== -1) return index;
    const names = this.#infos.map((info) => info.name).join(', ');
    throw new ModuleFault(`output ${show(name)}: expected one of ${names}`);
  }
}

function checkOutput(value: unknown, info: TensorInfo): CheckedOutput {
  const where = (): string => `output ${show(info.name)}`;
  const { shape, data, precision } = ArrayBuffer.isView(value) ? ofData(value, info) : ofRecord(value, info);
  const expected = elementArrayName(info.precision as Precision);
  if (precision !== undefined && precision !== info.precision) {
    throw new ModuleFault(`${where()}: expected precision ${info.precision}, received ${show(precision)}`);
  }
  // A `Buffer` is a `Uint8Array`, and that is what this says of it.
  if (!ArrayBuffer.isView(data) || (data as Data)[Symbol.toStringTag] !== expected) {
    throw new ModuleFault(`${where()}: expected data in a ${expected} (${info.precision}), received ${show(data)}`);
  }
  checkShape(shape, info, 'output');
  const { length } = data as Data;
  const count = elementCount(shape);
  if (length !== count) {
    throw new ModuleFault(`${where()}: expected ${count} elements for shape ${formatShape(shape)}, received ${length}`);
  }
  return { shape, data: data as Data };
}

interface LooseOutput {
  readonly shape: unknown;
  readonly data: unknown;
  readonly precision?: unknown;
}

function ofData(data: unknown, info: TensorInfo): LooseOutput {
  const shape = staticShape(info);
  if (shape !== null) return { shape, data };
  throw new ModuleFault(`output ${show(info.name)}: expected { shape, data }, because its shape is not fixed`);
}

function ofRecord(value: unknown, info: TensorInfo): LooseOutput {
  if (typeof value !== 'object' || value === null) {
    throw new ModuleFault(`output ${show(info.name)}: expected { shape, data }, received ${show(value)}`);
  }
  const output = value as { readonly [name in keyof LooseOutput]?: unknown };
  return { shape: output.shape ?? staticShape(info), data: output.data, precision: output.precision };
}

function checkShape(shape: unknown, info: TensorInfo, what: 'allocate' | 'output'): asserts shape is Shape {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size))) {
    throw wrongShape(info, what, show(shape));
  }
  const sizes = shape as readonly number[];
  const fits = sizes.length === info.shape.length && sizes.every((size, axis) => accepts(info.shape[axis]!, size));
  if (!fits || elementCount(sizes) === null) throw wrongShape(info, what, formatShape(sizes));
}

function wrongShape({ name, shape }: TensorInfo, what: string, received: string): ModuleFault {
  return new ModuleFault(`${what} ${show(name)}: expected shape ${formatPartialShape(shape)}, received ${received}`);
}

function inputBytes({ shape, precision }: TaskInput): number {
  return elementCount(shape)! * ELEMENT_BYTES[precision];
}

function fixedBytes(info: TensorInfo): number {
  return elementCount(staticShape(info)!)! * ELEMENT_BYTES[info.precision];
}

function lies(data: Data, region: { buffer: SharedArrayBuffer; byteOffset: number }, byteLength: number): boolean {
  const start = data.byteOffset - region.byteOffset;
  return data.buffer === region.buffer && start >= 0 && start + data.byteLength <= byteLength;
}
