import type { element as PublishedElement } from 'openvino-node';
import type { ElementTypeName, ElementTypes, SupportedTypedArray } from './api.js';

interface ArrayClass {
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): SupportedTypedArray;
  readonly BYTES_PER_ELEMENT: number;
}

/** The array class that shows elements of each type. */
const ARRAYS: Readonly<Record<ElementTypeName, ArrayClass>> = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  boolean: Uint8Array,
};

const ADDITIONAL: ReadonlySet<string> = new Set<ElementTypeName>(['f16', 'bf16', 'boolean']);

/**
 * The element types by their names. openvino-node declares them as a numeric enumeration, but its addon holds strings, and programs
 * compare them with strings; so do these.
 */
export const element = Object.freeze(
  Object.fromEntries(
    Object.keys(ARRAYS)
      .filter((name) => !ADDITIONAL.has(name))
      .map((name) => [name, name]),
  ),
) as unknown as ElementTypes;

/** The published type of a name; see {@link element}. */
export function publishedElement(name: ElementTypeName): PublishedElement {
  return name as unknown as PublishedElement;
}

/** @throws TypeError for what is not the name of a type that shared memory can hold */
export function elementTypeName(type: unknown, of: string): ElementTypeName {
  if (typeof type === 'string' && Object.hasOwn(ARRAYS, type)) return type as ElementTypeName;
  throw new TypeError(`${of}: expected one of ${Object.keys(ARRAYS).join(', ')}, received ${String(type)}`);
}

export function elementBytes(type: ElementTypeName): number {
  return ARRAYS[type].BYTES_PER_ELEMENT;
}

/** Shows `count` elements of memory that somebody else keeps alive. */
export function viewElements(
  type: ElementTypeName,
  buffer: ArrayBufferLike,
  byteOffset: number,
  count: number,
): SupportedTypedArray {
  return new ARRAYS[type](buffer, byteOffset, count);
}
