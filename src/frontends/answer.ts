import type { PredictResult } from '../servables/serving.js';
import { Contents, ScatteredMessage } from './protobuf/scattered-message.js';
import type { RpcAnswer, RpcCall } from './rpc.js';
import { TIMELINE_HEADER, timelineText } from './timeline.js';

/** What `next` makes of a value: at once when it is there, so that the answer to a request that waits for nothing needs no promise. */
export function whenThere<T, U>(value: Promise<T> | T, next: (value: T) => Promise<U> | U): Promise<U> | U {
  return value instanceof Promise ? value.then(next) : next(value);
}

/**
 * The answer that `encode` makes of a result. Its memory is released before this returns, or, where the transport sends it from where
 * it lies, with the message.
 *
 * @param inPlace bytes of outputs that were where the client wants them when `encode` came to them; none where it is not given.
 * @param encode leaves large contents out for the given place.
 */
export function answerOf(
  result: PredictResult,
  call: RpcCall,
  encode: (result: PredictResult, leftOut: Contents | undefined) => Uint8Array,
  inPlace?: () => number,
): RpcAnswer {
  const leftOut = call.takesRegions === true ? new Contents() : undefined;
  let isSentInPlace = false;
  try {
    const written = encode(result, leftOut);
    if (call.wantsTimeline && result.timeline !== null) {
      call.setTrailer(TIMELINE_HEADER, timelineText(result.timeline));
    }
    result.encoded((leftOut?.byteLength ?? 0) + (inPlace?.() ?? 0));
    if (leftOut === undefined || leftOut.places.length === 0) return written;
    isSentInPlace = true;
    return scattered(written, leftOut, result);
  } finally {
    if (!isSentInPlace) result.release();
  }
}

/** Apart, for whoever makes a closure allocates its variables even when the answer needs none. */
function scattered(written: Uint8Array, leftOut: Contents, result: PredictResult): ScatteredMessage {
  return new ScatteredMessage(written, leftOut.places, () => result.release());
}
