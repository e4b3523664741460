import { ServingError } from '../../errors.js';
import { PICTURE_PRECISIONS } from '../../tensors/picture.js';
import { accepts, formatDimension, formatPartialShape, formatShape, type Shape } from '../../tensors/shape.js';
import { batchIndex, type TensorInfo } from '../../tensors/tensor-info.js';
import { stringHandling } from './handling.js';
import { fitsPictures, isPicturePrecision } from './picture-input.js';
import { rowWidth } from './text-rows.js';

/** Bytes that the rows of one input may have together (as OVMS 2026.2.1). */
const MOST_ROW_BYTES = 2 ** 30;

/**
 * Checks strings that were sent for an input, in the order of OVMS 2026.2.1: that the input takes any, rank, count and batch, then what
 * rows or pictures ask. What only decoding tells of a picture is not known here.
 *
 * @param shape as sent.
 * @param at names the input in errors.
 * @throws ServingError NOT_IMPLEMENTED, INVALID_*, PICTURE_LAYOUT_INVALID, STRING_EMPTY, STRINGS_TOO_LARGE
 */
export function checkStrings(
  strings: readonly Uint8Array[],
  shape: Shape,
  input: TensorInfo,
  isDemultiplexed: boolean,
  at: string,
): void {
  const handling = stringHandling(input, isDemultiplexed);
  if (handling === 'native') throw new ServingError('NOT_IMPLEMENTED', `input of precision STRING${at}`);
  if (handling === 'none') throw new ServingError('NOT_IMPLEMENTED', `strings or encoded pictures${at}`);
  checkCount(strings, shape, input, at);
  if (handling === 'rows') checkRows(strings, input, at);
  else checkPictures(strings, input, at);
}

function checkCount({ length }: readonly Uint8Array[], shape: Shape, input: TensorInfo, at: string): void {
  if (shape.length !== 1) {
    const detail = `Expected number of binary input shape dimensions: 1; Actual: ${shape.length}${at}`;
    throw new ServingError('INVALID_NO_OF_SHAPE_DIMENSIONS', detail);
  }
  if (length !== shape[0])
    throw new ServingError('INVALID_BATCH_SIZE', `Expected: ${shape[0]}; Actual: ${length}${at}`);
  const batch = input.shape[batchIndex(input.layout) ?? 0]!;
  if (accepts(batch, length)) return;
  throw new ServingError('INVALID_BATCH_SIZE', `Expected: ${formatDimension(batch)}; Actual: ${length}${at}`);
}

function checkRows(strings: readonly Uint8Array[], input: TensorInfo, at: string): void {
  const rows = [strings.length, rowWidth(strings)] as const;
  const bytes = rows[0] * rows[1];
  if (bytes > MOST_ROW_BYTES) {
    throw new ServingError('STRINGS_TOO_LARGE', `Expected: at most ${MOST_ROW_BYTES} bytes; Actual: ${bytes}${at}`);
  }
  if (accepts(input.shape[1]!, rows[1])) return;
  const detail = `Expected: ${formatPartialShape(input.shape)}; Actual: ${formatShape(rows)}${at}`;
  throw new ServingError('INVALID_SHAPE', detail);
}

function checkPictures(strings: readonly Uint8Array[], input: TensorInfo, at: string): void {
  if (!fitsPictures(input)) {
    throw new ServingError('PICTURE_LAYOUT_INVALID', `Expected: N...HWC; Actual: ${input.layout}${at}`);
  }
  if (!isPicturePrecision(input.precision)) {
    const detail = `Expected: one of ${PICTURE_PRECISIONS.join(', ')}; Actual: ${input.precision}${at}`;
    throw new ServingError('INVALID_PRECISION', detail);
  }
  if (!input.shape.slice(1, -3).every((between) => accepts(between, 1))) {
    const detail = `Expected: ${formatPartialShape(input.shape)}; Actual: one picture a string${at}`;
    throw new ServingError('INVALID_SHAPE', detail);
  }
  const empty = strings.findIndex(({ byteLength }) => byteLength === 0);
  if (empty >= 0) throw new ServingError('STRING_EMPTY', `element ${empty}${at}`);
}
