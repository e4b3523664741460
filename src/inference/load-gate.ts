/** So many speak for a change, with nothing between them that speaks against it. */
const ENOUGH = 8;

/**
 * Decides for all models of one owner worker that follow the load whether each is to have one inference at a time on all cores, or
 * several on few cores each. One decision for all, because all want the same cores: the slowest model of a pipeline gathers the
 * requests, while the others look idle. Pure: told what each request for an inference finds, asked for a decision.
 */
export class LoadGate {
  #isCrowded = false;
  #hadToWait = 0;
  #wereAlone = 0;

  get isCrowded(): boolean {
    return this.#isCrowded;
  }

  /** An inference is wanted of a model that has no idle infer request. */
  hasToWait(): void {
    this.#wereAlone = 0;
    if (++this.#hadToWait >= ENOUGH) this.#isCrowded = true;
  }

  /** An inference is wanted of a model that has others running, and gets an infer request. */
  isOneOfSeveral(): void {
    this.#wereAlone = 0;
  }

  /** An inference is wanted of a model that has none running. */
  isAlone(): void {
    if (++this.#wereAlone < ENOUGH) return;
    this.#hadToWait = 0;
    this.#isCrowded = false;
  }
}
