/**
 * Node `decode`: gathers what the recogniser says of all crops and spells it. Parameters: `characters`, a file with a character a
 * line in the order of the recogniser's classes, where a relative path belongs to the folder of this module; `space_thresh` (0.05),
 * from which probability on a gap is a space.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alphabetOf, packTexts, spell, type Spelling } from './ctc.js';
import { numberParameter, type Context, type NodeTensor, type Params, type Port } from './node.js';

/** @throws Error when there is no such file. */
export async function initialize(params: Params): Promise<Spelling> {
  const { characters } = params;
  if (characters === undefined)
    throw new Error('expected params.characters to be the path of a file, received nothing');
  const path = resolve(fileURLToPath(new URL('.', import.meta.url)), characters);
  const leastSpace = numberParameter(params, 'space_thresh', 0.05, 0);
  return { characters: alphabetOf(await readFile(path, 'utf8')), leastSpace };
}

/** [crops, 1, steps, classes], as gathered; without any crop the sizes between are 0, since no shard tells them. */
export function inputs(_params: Params, { characters }: Spelling): Port[] {
  return [{ name: 'probabilities', precision: 'FP32', shape: [-1, -1, -1, characters.length] }];
}

/** `text_string` has rows of UTF-8 that end in a zero byte: over REST they are strings. */
export function outputs(): Port[] {
  return [
    { name: 'text_string', precision: 'U8', shape: [-1, -1] },
    { name: 'confidence', precision: 'FP32', shape: [-1] },
  ];
}

export function execute(
  { probabilities }: { readonly probabilities: NodeTensor<Float32Array> },
  context: Context<Spelling>,
): { text_string: unknown; confidence: unknown } {
  const [count = 0, , steps = 0, classes = 0] = probabilities.shape;
  const size = steps * classes;
  const readings = Array.from({ length: count }, (_, index) =>
    spell(probabilities.data.subarray(index * size, (index + 1) * size), steps, context.state),
  );
  const { length, rows } = packTexts(readings.map(({ text }) => text));
  const texts = context.allocate('text_string', [count, length]);
  const confidence = context.allocate('confidence', [count]);
  texts.data.fill(0);
  rows.forEach((row, index) => texts.data.set(row, index * length));
  confidence.data.set(readings.map((reading) => reading.confidence));
  return { text_string: texts, confidence };
}
