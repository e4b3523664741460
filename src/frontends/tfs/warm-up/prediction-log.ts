import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../../errors.js';
import { decodeMessage, enter, leave, skip, tagOf, WIRE } from '../../protobuf/wire-reader.js';
import { decodePredictRequest, type DecodedPredictRequest } from '../predict-message.js';

/** Fields of `tensorflow.serving.PredictionLog`. */
const LOGS: Readonly<Record<number, string>> = {
  2: 'classify_log',
  3: 'regress_log',
  4: 'multi_inference_log',
  5: 'session_run_log',
  7: 'predict_streamed_log',
};
const PREDICT_LOG = tagOf(6, WIRE.BYTES);
/** Of `PredictLog`. */
const REQUEST = tagOf(1, WIRE.BYTES);

/**
 * The request of a `tensorflow.serving.PredictionLog`; contents are views of `bytes`.
 *
 * @throws ServingError MESSAGE_MALFORMED, NOT_IMPLEMENTED for a log of another kind
 */
export function decodePredictionLog(bytes: Uint8Array): DecodedPredictRequest {
  const request = decodeMessage('PredictionLog', bytes, (reader) => {
    let found: Uint8Array | null = null;
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      const other = LOGS[tag >>> 3];
      if (other !== undefined) throw new ServingError('NOT_IMPLEMENTED', `a ${other}; expected a predict_log`);
      if (tag !== PREDICT_LOG) skip(reader, tag);
      else {
        const outerEnd = enter(reader);
        while (reader.pos < reader.len) {
          const inner = reader.tag();
          if (inner === REQUEST) found = readView(reader, bytes);
          else skip(reader, inner);
        }
        leave(reader, outerEnd);
      }
    }
    return found;
  });
  if (request === null)
    throw new ServingError('MESSAGE_MALFORMED', 'PredictionLog: expected predict_log.request, found none');
  return decodePredictRequest(request);
}

/** A `tensorflow.serving.PredictionLog` of a `PredictRequest`. */
export function encodePredictionLog(request: Uint8Array): Uint8Array {
  return protobuf.Writer.create().uint32(PREDICT_LOG).fork().uint32(REQUEST).bytes(request).ldelim().finish();
}

function readView(reader: protobuf.Reader, bytes: Uint8Array): Uint8Array {
  const outerEnd = enter(reader);
  const view = bytes.subarray(reader.pos, reader.len);
  reader.pos = reader.len;
  leave(reader, outerEnd);
  return view;
}
