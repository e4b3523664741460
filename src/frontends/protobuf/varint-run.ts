import { ELEMENT_BYTES, type Precision } from '../../tensors/precision.js';

const LONGEST_VARINT = 10;

/**
 * Counts the varints that fill a piece of a message.
 * @throws RangeError when it ends within one, or one is longer than ten bytes.
 */
export function countVarints(bytes: Uint8Array, begin: number, end: number): number {
  let count = 0;
  let length = 0;
  for (let pos = begin; pos < end; pos += 1) {
    length += 1;
    if (length > LONGEST_VARINT) throw new RangeError(`a value of more than ${LONGEST_VARINT} bytes`);
    if (bytes[pos]! < 128) {
      count += 1;
      length = 0;
    }
  }
  if (length !== 0) throw new RangeError('packed values end within a value');
  return count;
}

/**
 * Writes the low bytes of each varint of a run that `countVarints` has checked, little-endian; BOOL becomes 0 or 1.
 * @param start Where in `target` the first element goes.
 * @returns Where the next element goes.
 */
export function writeVarints(
  bytes: Uint8Array,
  begin: number,
  end: number,
  target: Uint8Array,
  start: number,
  precision: Precision,
): number {
  const width = ELEMENT_BYTES[precision];
  let at = start;
  let pos = begin;
  while (pos < end) {
    let low = 0;
    let high = 0;
    let byte: number;
    let shift = 0;
    do {
      byte = bytes[pos++]!;
      const bits = byte & 127;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      shift += 7;
    } while (byte >= 128);
    if (precision === 'BOOL') low = (low | high) === 0 ? 0 : 1;
    for (let index = 0; index < width; index += 1) {
      target[at++] = index < 4 ? low >>> (index * 8) : high >>> ((index - 4) * 8);
    }
  }
  return at;
}
