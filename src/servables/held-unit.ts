/** Something an execution keeps open while it runs: closes once it is retired and nobody holds it any more. */
export abstract class HeldUnit {
  #holds = 0;
  #retired = false;

  hold(): void {
    this.#holds += 1;
  }

  letGo(): void {
    this.#holds -= 1;
    if (this.#retired && this.#holds === 0) this.close();
  }

  /** No new execution will ask for it; closes when the last one has let go. */
  retire(): void {
    this.#retired = true;
    if (this.#holds === 0) this.close();
  }

  protected abstract close(): void;
}
