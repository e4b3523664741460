import type { CallContext, Serving } from '../servables/serving.js';

/** What `decode` returns; when it throws, the request counts as one that its servable has failed. */
export function countingRefusals<T>(
  serving: Serving,
  name: string,
  version: bigint | null,
  call: CallContext,
  decode: () => T,
): T {
  try {
    return decode();
  } catch (error) {
    serving.refused(name, version, call);
    throw error;
  }
}
