/** So long may inline inferences of all models together hold one turn of the event loop. */
const TURN_MICROS = 2_000;

/**
 * Bounds what one turn of an event loop computes: work beyond the budget waits, in its order, for the next turn, so that sockets
 * and completions get their turn in between, whether one request has ten thousand shards or ten thousand requests one node.
 */
export class TurnBudget {
  readonly #waiting: (() => void)[] = [];
  #left = TURN_MICROS;
  #isCounting = false;

  /** @param work runs now or in a later turn of the loop. It {@link spend}s before it brings more work, and does not throw. */
  run(work: () => void): void {
    if (this.#left <= 0) {
      this.#waiting.push(work);
      return;
    }
    this.#count();
    work();
  }

  /** Takes microseconds off this turn. */
  spend(micros: number): void {
    this.#left -= micros;
  }

  #count(): void {
    if (this.#isCounting) return;
    this.#isCounting = true;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    this.#isCounting = false;
    this.#left = TURN_MICROS;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting.splice(0);
    for (const work of waiting) this.run(work);
  }
}
