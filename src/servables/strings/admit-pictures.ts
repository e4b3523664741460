import type { Arena, Lease } from '../../tensors/arena.js';
import type { PicturePrecision, PictureShape } from '../../tensors/picture.js';
import { ELEMENT_BYTES } from '../../tensors/precision.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { Tensor } from '../../tensors/tensor.js';
import type { PictureDecoder, PictureTarget } from './picture-decoder.js';
import { hasFixedPictures, isResized, pictureShape } from './picture-input.js';

/**
 * Decodes pictures into one leased tensor, all at once and each right into its part; the caller owns its one use. Where the input
 * leaves sizes open, the first picture's header is read before.
 *
 * @param encoded checked against the input, see `checkStrings`.
 * @throws ServingError of the first picture that fails, when none is being decoded any more
 */
export async function admitPictures(
  encoded: readonly Uint8Array[],
  input: TensorInfo,
  arena: Arena,
  decoder: PictureDecoder,
): Promise<Tensor> {
  const [first] = encoded;
  const needsHeader = first !== undefined && !hasFixedPictures(input);
  const each = pictureShape(input, needsHeader ? await decoder.measurePicture(first) : null);
  const pictureBytes = each.height * each.width * each.channels * ELEMENT_BYTES[input.precision];
  const lease = arena.lease(encoded.length * pictureBytes);
  const targets = encoded.map((_, index) => targetOf(input, each, lease, index, pictureBytes));
  try {
    await allOf(encoded.map((picture, index) => decoder.decodePicture(picture, targets[index]!)));
  } catch (error) {
    lease.release();
    throw error;
  }
  arena.copies.count('request', lease.byteLength);
  return new Tensor(input.precision, tensorShape(input, each, encoded.length), lease);
}

function targetOf(
  input: TensorInfo,
  each: PictureShape,
  lease: Lease,
  index: number,
  pictureBytes: number,
): PictureTarget {
  const otherSize = isResized(input) ? 'resize' : index === 0 ? 'INVALID_SHAPE' : 'PICTURE_SIZES_DIFFER';
  const bytes = lease.bytes.subarray(index * pictureBytes, (index + 1) * pictureBytes);
  return {
    ...each,
    precision: input.precision as PicturePrecision,
    bytes,
    otherSize,
    at: `; input name: ${input.name}`,
  };
}

/** Pictures in front, colours last; dimensions between hold one picture each. */
function tensorShape({ shape }: TensorInfo, { height, width, channels }: PictureShape, pictures: number): number[] {
  const between = Array<number>(shape.length - 4).fill(1);
  return [pictures, ...between, height, width, channels];
}

/** Waits for all, because they write into the same lease, and throws the first fault in their order. */
async function allOf(tasks: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(tasks)) if (outcome.status === 'rejected') throw outcome.reason;
}
