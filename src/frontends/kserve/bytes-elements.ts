import { ServingError } from '../../errors.js';

/** Each element of BYTES in raw content has its length in front, as a little-endian uint32. */
const LENGTH_BYTES = 4;

/**
 * The elements of raw BYTES content, as views of it.
 * @throws ServingError INVALID_CONTENT_SIZE when a length leads beyond the content or bytes are left over.
 */
export function readBytesElements(content: Uint8Array, name: string): Uint8Array[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (content.byteLength - at >= LENGTH_BYTES) {
    const length = view.getUint32(at, true);
    const begin = at + LENGTH_BYTES;
    if (begin + length > content.byteLength) {
      const sizes = `buffer size: ${content.byteLength}, batch length: ${length}`;
      throw sizeError(`Batch length metadata exceeded buffer size, ${sizes}`, name);
    }
    elements.push(content.subarray(begin, begin + length));
    at = begin + length;
  }
  if (at === content.byteLength) return elements;
  throw sizeError(`Processed bytes: ${at} do not equal to buffer size: ${content.byteLength}`, name);
}

function sizeError(detail: string, name: string): ServingError {
  return new ServingError('INVALID_CONTENT_SIZE', `${detail}; input name: ${name}`);
}

/** Raw BYTES content of elements, over memory of its own. */
export function writeBytesElements(elements: readonly Uint8Array[]): Buffer {
  const size = elements.reduce((sum, { byteLength }) => sum + LENGTH_BYTES + byteLength, 0);
  const content = Buffer.allocUnsafe(size);
  let at = 0;
  for (const element of elements) {
    at = content.writeUInt32LE(element.byteLength, at);
    content.set(element, at);
    at += element.byteLength;
  }
  return content;
}
