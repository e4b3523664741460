import { fromHalf } from '../tensors/half.js';
import { ELEMENT_BYTES, type Precision } from '../tensors/precision.js';

/** Numbers of a tensor. 64-bit integers are rounded beyond 2^53. */
export type Elements = ArrayLike<number>;

type ElementReader = (view: DataView, byteOffset: number) => number;

const READERS: Readonly<Partial<Record<Precision, ElementReader>>> = {
  FP64: (view, at) => view.getFloat64(at, true),
  FP32: (view, at) => view.getFloat32(at, true),
  FP16: (view, at) => fromHalf(view.getUint16(at, true)),
  // The upper half of a float32.
  BF16: (view, at) => {
    HALVES.setUint16(0, view.getUint16(at, true));
    return HALVES.getFloat32(0);
  },
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U64: (view, at) => Number(view.getBigUint64(at, true)),
  U32: (view, at) => view.getUint32(at, true),
  U16: (view, at) => view.getUint16(at, true),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => (view.getUint8(at) === 0 ? 0 : 1),
};
const HALVES = new DataView(new ArrayBuffer(4));

/**
 * Reads little-endian elements. The result is a view of `bytes` where the alignment allows that for FP32, else a copy.
 * @throws RangeError for STRING, and when the bytes are not whole elements.
 */
export function readElements(precision: Precision, bytes: Uint8Array): Elements {
  const read = READERS[precision];
  const size = ELEMENT_BYTES[precision];
  if (read === undefined) throw new RangeError(`elements of ${precision} are not numbers`);
  if (bytes.byteLength % size !== 0)
    throw new RangeError(`${bytes.byteLength} bytes are not whole ${precision} elements`);
  const count = bytes.byteLength / size;
  if (precision === 'FP32' && bytes.byteOffset % size === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements = new Float64Array(count);
  for (let index = 0; index < count; index += 1) elements[index] = read(view, index * size);
  return elements;
}
