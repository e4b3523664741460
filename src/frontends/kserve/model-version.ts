import { ServingError } from '../../errors.js';

const LARGEST_VERSION = 2n ** 63n - 1n;

/**
 * Version that a message asks for; `null`, for an empty text and for `0`, is the default version.
 * @throws ServingError MODEL_VERSION_FORMAT for anything but a number without leading zeros (as OVMS 2026.2.1).
 */
export function parseModelVersion(text: string): bigint | null {
  if (text === '' || text === '0') return null;
  if (!/^[1-9]\d{0,18}$/.test(text)) throw new ServingError('MODEL_VERSION_FORMAT');
  const version = BigInt(text);
  if (version > LARGEST_VERSION) throw new ServingError('MODEL_VERSION_FORMAT');
  return version;
}
