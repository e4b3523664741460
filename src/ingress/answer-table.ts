import type { ScatteredMessage } from '../frontends/protobuf/scattered-message.js';
import { ANSWER_REGION_STRIDE } from '../native/ingress-binding.js';

const ROWS = 16;

/** The regions of one message as native code reads them; written anew for each message. */
export class AnswerTable {
  numbers = new Float64Array(ROWS * ANSWER_REGION_STRIDE);

  /** @returns the number of rows. */
  write({ contents }: ScatteredMessage): number {
    const needed = contents.length * ANSWER_REGION_STRIDE;
    if (this.numbers.length < needed) this.numbers = new Float64Array(needed);
    let at = 0;
    let written = 0;
    for (const { before, slabId, byteOffset, byteLength } of contents) {
      this.numbers[at] = before - written;
      this.numbers[at + 1] = slabId;
      this.numbers[at + 2] = byteOffset;
      this.numbers[at + 3] = byteLength;
      written = before;
      at += ANSWER_REGION_STRIDE;
    }
    return contents.length;
  }
}
