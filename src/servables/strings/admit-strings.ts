import { ServingError } from '../../errors.js';
import type { Arena } from '../../tensors/arena.js';
import { toViews } from '../../tensors/strings.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { Tensor } from '../../tensors/tensor.js';
import type { RequestTensor } from '../predict-request.js';
import { admitPictures } from './admit-pictures.js';
import type { PictureDecoder } from './picture-decoder.js';
import { admitNative, admitRows } from './admit-text.js';

export function hasStrings(tensors: readonly RequestTensor[]): boolean {
  return tensors.some(({ content }) => content.kind === 'strings');
}

/**
 * Turns strings and encoded pictures of a checked request into ordinary tensors in leased memory, one use each.
 *
 * @param inputs of the servable, in the order of `tensors`.
 * @returns in the same order; `null` for tensors that are no strings.
 * @throws ServingError of a picture, or OUT_OF_MEMORY; nothing stays leased then
 */
export async function admitStrings(
  tensors: readonly RequestTensor[],
  inputs: readonly TensorInfo[],
  arena: Arena,
  decoder: PictureDecoder,
): Promise<(Tensor | null)[]> {
  const admitted: (Tensor | null)[] = [];
  try {
    for (const [index, { content, shape }] of tensors.entries()) {
      const input = inputs[index]!;
      if (content.kind !== 'strings') admitted.push(null);
      else if (input.precision === 'STRING') admitted.push(admitNative(content.strings, shape, arena));
      else if (input.shape.length === 2) admitted.push(admitRows(content.strings, arena));
      else admitted.push(await admitPictures(toViews(content.strings), input, arena, decoder));
    }
    return admitted;
  } catch (error) {
    for (const tensor of admitted) tensor?.release();
    if (error instanceof ServingError) throw error;
    throw new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
  }
}
