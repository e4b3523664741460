import type { TensorInfo } from '../../tensors/tensor-info.js';

/**
 * What becomes of strings that are sent for an input whose precision is not STRING (as OVMS 2026.2.1): `rows` each is a row of bytes, `picture` each is an encoded picture, `none` they fit nowhere.
 */
export type StringHandling = 'rows' | 'picture' | 'none';

const PICTURE_RANK = 4;

/** @param isDemultiplexed whether the request is split on the first dimension of its inputs. */
export function stringHandling({ precision, shape }: TensorInfo, isDemultiplexed: boolean): StringHandling {
  const rank = shape.length;
  if (precision === 'U8' && rank === 2 && !isDemultiplexed) return 'rows';
  return rank === PICTURE_RANK || (isDemultiplexed && rank === PICTURE_RANK + 1) ? 'picture' : 'none';
}
