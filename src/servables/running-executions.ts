/** Executions of one owner worker some of whose nodes run, those of nested pipelines included: an early exit leaves some behind. */
export class RunningExecutions {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  began(): void {
    this.#count += 1;
  }

  drained(): void {
    this.#count -= 1;
    if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when none runs. */
  async idle(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
