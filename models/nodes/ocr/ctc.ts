/** One text as it was read, and how sure the network was: the mean probability of its characters, 0 without any. */
export interface Reading {
  readonly text: string;
  readonly confidence: number;
}

/** How class probabilities are spelled. */
export interface Spelling {
  /** The character of each class; class 0 is the blank, the last one the space. */
  readonly characters: readonly string[];
  /**
   * Probability from which on a space is read where the blank is likelier. The recogniser is trained mostly on Chinese, and in
   * the gaps of Latin text it often prefers the blank, but elsewhere it gives the space next to nothing. 1 is greedy decoding.
   */
  readonly leastSpace: number;
}

const BLANK = 0;

/**
 * The text in `steps` rows of `characters.length` probabilities: the likeliest class of each step, with repetitions told once and
 * blanks left out (greedy decoding of connectionist temporal classification). Spaces are neither doubled nor at the ends.
 */
export function spell(probabilities: Float32Array, steps: number, { characters, leastSpace }: Spelling): Reading {
  const classes = characters.length;
  const space = classes - 1;
  let text = '';
  let sum = 0;
  let count = 0;
  let previous = BLANK;
  for (let step = 0; step < steps; step += 1) {
    const begin = step * classes;
    const best = likeliest(probabilities, begin, classes);
    if (best !== previous && best !== BLANK) {
      text += characters[best]!;
      sum += probabilities[begin + best]!;
      count += 1;
    } else if (best === BLANK && probabilities[begin + space]! >= leastSpace) {
      text += characters[space]!;
    }
    previous = best;
  }
  return { text: text.trim().replaceAll(/ {2,}/g, ' '), confidence: count === 0 ? 0 : sum / count };
}

function likeliest(values: Float32Array, begin: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index += 1) {
    if (values[begin + index]! > values[begin + best]!) best = index;
  }
  return best;
}

/** The characters of the classes: the blank, one a line of `lines`, and the space. */
export function alphabetOf(lines: string): string[] {
  return ['', ...lines.replace(/\n$/, '').split('\n'), ' '];
}
