import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';

import { ServingError } from '../errors.js';
import { INGRESS_FLAG } from '../native/ingress-binding.js';

const decoders = { gzip: promisify(gunzip), deflate: promisify(inflate) };

export function isCompressed(flags: number): boolean {
  return (flags & (INGRESS_FLAG.GZIP | INGRESS_FLAG.DEFLATE)) !== 0;
}

/**
 * A compressed message, decoded on other threads.
 *
 * @throws ServingError STREAM_BROKEN when it is not what it says, MESSAGE_TOO_LARGE
 */
export async function inflateMessage(message: Uint8Array, flags: number, limit: number): Promise<Uint8Array> {
  const name = (flags & INGRESS_FLAG.GZIP) !== 0 ? 'gzip' : 'deflate';
  try {
    // A copy: the library's threads may outlive the region.
    return await decoders[name](Uint8Array.from(message), { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ServingError(
        'MESSAGE_TOO_LARGE',
        `Expected: ${limit} bytes at most; Actual: more, decoded from ${name}`,
      );
    }
    throw new ServingError('STREAM_BROKEN', `a message that claims to be ${name} is not`, { cause: error });
  }
}
