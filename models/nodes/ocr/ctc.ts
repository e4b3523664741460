/** One text as it was read, and how sure the network was: the mean probability of its characters, 0 without any. */
export interface Reading {
  readonly text: string;
  readonly confidence: number;
}

/**
 * The text in `steps` rows of `alphabet.length` probabilities: the likeliest class of each step, with repetitions told once and
 * blanks (class 0) left out (greedy decoding of connectionist temporal classification).
 */
export function readGreedily(probabilities: Float32Array, steps: number, alphabet: readonly string[]): Reading {
  let text = '';
  let sum = 0;
  let count = 0;
  let previous = 0;
  for (let step = 0; step < steps; step += 1) {
    const begin = step * alphabet.length;
    const best = likeliest(probabilities, begin, alphabet.length);
    if (best !== previous && best !== 0) {
      text += alphabet[best]!;
      sum += probabilities[begin + best]!;
      count += 1;
    }
    previous = best;
  }
  return { text, confidence: count === 0 ? 0 : sum / count };
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

/** Texts as rows of UTF-8 that end in a zero byte and are filled up with zeros to a common length. */
export function packTexts(texts: readonly string[]): { readonly length: number; readonly rows: Uint8Array[] } {
  const encoder = new TextEncoder();
  const rows = texts.map((text) => encoder.encode(text));
  return { length: Math.max(0, ...rows.map((row) => row.length)) + 1, rows };
}
