import { ServingError } from '../../errors.js';
import { PICTURE_PRECISIONS } from '../../tensors/picture.js';
import { accepts, formatDimension, formatPartialShape, type Shape } from '../../tensors/shape.js';
import { stringCount, type StringList } from '../../tensors/strings.js';
import { batchIndex, type TensorInfo } from '../../tensors/tensor-info.js';
import { stringHandling } from './handling.js';
import { fitsPictures, isPicturePrecision } from './picture-input.js';
import { rowWidth } from './admit-text.js';

/** Bytes that the rows of one input may have together (as OVMS 2026.2.1). */
const MOST_ROW_BYTES = 2 ** 30;

/**
 * Checks strings that were sent for an input of another precision, in the order of OVMS 2026.2.1: that the input takes any, rank, count and batch, then what
 * rows or pictures ask. What only decoding tells of a picture is not known here.
 *
 * @param shape as sent.
 * @param at names the input in errors.
 * @throws ServingError NOT_IMPLEMENTED, INVALID_*, PICTURE_LAYOUT_INVALID, STRING_EMPTY, STRINGS_TOO_LARGE
 */
export function checkStrings(
  strings: StringList,
  shape: Shape,
  input: TensorInfo,
  isDemultiplexed: boolean,
  at: string,
): void {
  const handling = stringHandling(input, isDemultiplexed);
  if (handling === 'none') throw new ServingError('NOT_IMPLEMENTED', `strings or encoded pictures${at}`);
  checkCount(strings, shape, input, at);
  if (handling === 'rows') checkRows(strings, input, at);
  else checkPictures(strings, input, at);
}

function checkCount(strings: StringList, shape: Shape, input: TensorInfo, at: string): void {
  if (shape.length !== 1) {
    const detail = `Expected number of binary input shape dimensions: 1; Actual: ${shape.length}${at}`;
    throw new ServingError('INVALID_NO_OF_SHAPE_DIMENSIONS', detail);
  }
  const length = stringCount(strings);
  if (length !== shape[0])
    throw new ServingError('INVALID_BATCH_SIZE', `Expected: ${shape[0]}; Actual: ${length}${at}`);
  const batch = input.shape[batchIndex(input.layout) ?? 0]!;
  if (accepts(batch, length)) return;
  throw new ServingError('INVALID_BATCH_SIZE', `Expected: ${formatDimension(batch)}; Actual: ${length}${at}`);
}

function checkRows(strings: StringList, input: TensorInfo, at: string): void {
  const [count, width] = [stringCount(strings), rowWidth(strings)];
  const bytes = count * width;
  if (bytes > MOST_ROW_BYTES) {
    throw new ServingError('STRINGS_TOO_LARGE', `Expected: at most ${MOST_ROW_BYTES} bytes; Actual: ${bytes}${at}`);
  }
  const [rows, columns] = input.shape;
  if (accepts(rows!, count) && accepts(columns!, width)) return;
  const batch = `Expected batch size: ${formatDimension(rows!)}; got: ${count}`;
  const length = `Expected max null terminated string length: ${formatDimension(columns!)}; got: ${width}`;
  throw new ServingError('INVALID_SHAPE', `${batch}; ${length}${at}`);
}

function checkPictures(strings: StringList, input: TensorInfo, at: string): void {
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
  const empty = strings.lengths.indexOf(0);
  if (empty >= 0) throw new ServingError('STRING_EMPTY', `element ${empty}${at}`);
}
