/**
 * Node `decode`: spells what the recogniser says of one crop. Parameters: `characters`, a file with a character a line in the order
 * of the recogniser's classes, where a relative path belongs to the folder of this module; `space_thresh` (0.01), from which
 * probability on a gap is a space.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeContext, Output, Tensor, TensorDeclaration } from 'vinery/node';
import { alphabetOf, spell, type Spelling } from './ctc.js';
import { numberParameter, textParameter } from './parameters.js';

/** Of a character in UTF-8. */
const MOST_BYTES = 4;

/** @throws Error when there is no such file, or none is named. */
export async function initialize(params: unknown): Promise<Spelling> {
  const path = resolve(fileURLToPath(new URL('.', import.meta.url)), textParameter(params, 'characters'));
  const leastSpace = numberParameter(params, 'space_thresh', 0.01, 0);
  return { characters: alphabetOf(await readFile(path, 'utf8')), leastSpace };
}

/** [1, steps, classes]. */
export function inputs(_params: unknown, { characters }: Spelling): TensorDeclaration[] {
  return [{ name: 'probabilities', precision: 'FP32', shape: [1, -1, characters.length] }];
}

/**
 * `text` is UTF-8, filled up with zero bytes to a length that depends on the number of steps only: crops of one width give texts of
 * one size, which can be gathered.
 */
export function outputs(): TensorDeclaration[] {
  return [
    { name: 'text', precision: 'U8', shape: [-1] },
    { name: 'confidence', precision: 'FP32', shape: [1] },
  ];
}

export function execute(
  { probabilities }: { readonly probabilities: Tensor<'FP32'> },
  context: NodeContext<unknown, Spelling>,
): { text: Output; confidence: Output } {
  const [, steps = 0] = probabilities.shape;
  const reading = spell(probabilities.data, steps, context.state);
  // No step adds more than one character, and a zero byte ends the text.
  const text = context.allocate<'U8'>('text', [MOST_BYTES * steps + 1]);
  const confidence = context.allocate<'FP32'>('confidence', [1]);
  text.data.fill(0);
  text.data.set(new TextEncoder().encode(reading.text));
  confidence.data[0] = reading.confidence;
  return { text, confidence };
}
