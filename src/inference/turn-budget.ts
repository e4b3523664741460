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

  /** Whether work may be done in this turn. Who does it {@link spend}s before it brings more work. */
  admits(): boolean {
    if (this.#left <= 0) return false;
    this.#count();
    return true;
  }

  /** For work that this turn did not admit. @param work runs in a later turn of the loop; it {@link spend}s, and does not throw. */
  defer(work: () => void): void {
    this.#waiting.push(work);
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
    for (const work of waiting) {
      if (this.admits()) work();
      else this.defer(work);
    }
  }
}
