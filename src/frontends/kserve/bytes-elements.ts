import { ServingError } from '../../errors.js';
import { copyStrings, packedBytes, type StringList, unpackStrings, writeLength } from '../../tensors/strings.js';
import { shortened } from '../../texts.js';

/**
 * The elements of raw BYTES content, as views of it.
 * @throws ServingError INVALID_CONTENT_SIZE when a length leads beyond the content or bytes are left over.
 */
export function readBytesElements(content: Uint8Array, name: string): StringList {
  return unpackStrings(content, (at, length) => {
    const sizes =
      length === null
        ? `Processed bytes: ${at} do not equal to buffer size: ${content.byteLength}`
        : `Batch length metadata exceeded buffer size, buffer size: ${content.byteLength}, batch length: ${length}`;
    return new ServingError('INVALID_CONTENT_SIZE', `${sizes}; input name: ${shortened(name)}`);
  });
}

/** Raw BYTES content of elements, over memory of its own. */
export function writeBytesElements(elements: StringList): Buffer {
  const content = Buffer.allocUnsafe(packedBytes(elements));
  let end = 0;
  const place = (_: number, length: number): number => {
    const at = writeLength(content, end, length);
    end = at + length;
    return at;
  };
  copyStrings(elements, content, place, (string, at) => content.set(string, at));
  return content;
}
