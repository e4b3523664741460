/**
 * Keeps what fails at every look at the file system from filling the log: a text is worth a line when it is new, and from then on
 * each time its count has doubled.
 */
export class RepeatedFaults {
  readonly #last = new Map<string, { readonly text: string; readonly count: number }>();

  /**
   * Counts a fault.
   *
   * @param key what failed.
   * @returns the line to print, or `null` when it is to be left out.
   */
  line(key: string, text: string): string | null {
    const last = this.#last.get(key);
    const count = last?.text === text ? last.count + 1 : 1;
    this.#last.set(key, { text, count });
    if (count === 1) return text;
    return Number.isInteger(Math.log2(count)) ? `${text} (${count} times)` : null;
  }

  /** It has not failed this time: its next fault is new. */
  forget(key: string): void {
    this.#last.delete(key);
  }
}
