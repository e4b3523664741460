import { addBlock, BLOCK_SLOTS, createBlock, type MetricsBlock, type Subject } from './block.js';

/** What is known of a model version on the control plane alone, all owner workers together; 0 while it is not loaded. */
export interface ModelCapacity {
  readonly name: string;
  readonly version: number;
  readonly streams: number;
  /** Infer requests. */
  readonly queueSize: number;
}

/** Sums over all owner workers, those that have ended among them. */
export interface SubjectTotal {
  readonly subject: Subject;
  readonly numbers: Float64Array;
}

/**
 * The control plane's side of the metrics: it gives each owner worker a block a subject and reads the blocks whenever somebody asks,
 * without the worker's help. A subject that was learnt stays, and what a worker counted stays in the sums when the worker ends: the
 * memory is here, so nothing is lost with it. What it had in hand goes.
 */
export class MetricsBook {
  readonly #subjects: Subject[] = [];
  readonly #known = new Set<string>();
  /** Of workers that have ended, by subject. */
  readonly #ended: Float64Array[] = [];
  readonly #ledgers = new Set<WorkerLedger>();
  #capacities: readonly ModelCapacity[] = [];

  constructor() {
    this.learn([{ kind: 'worker' }], []);
  }

  /** Adds the subjects that are new. @param capacities of all model versions ever seen. */
  learn(subjects: readonly Subject[], capacities: readonly ModelCapacity[]): void {
    for (const subject of subjects) {
      const key = JSON.stringify(subject);
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.#subjects.push(subject);
      this.#ended.push(new Float64Array(BLOCK_SLOTS[subject.kind]));
    }
    this.#capacities = capacities;
  }

  /** A new owner worker. */
  open(): WorkerLedger {
    const ledger = new WorkerLedger(this.#subjects);
    this.#ledgers.add(ledger);
    return ledger;
  }

  /** The owner worker has ended. */
  close(ledger: WorkerLedger): void {
    if (!this.#ledgers.delete(ledger)) return;
    ledger.blocks.forEach((block, index) => addBlock(this.#ended[index]!, block, true));
  }

  get capacities(): readonly ModelCapacity[] {
    return this.#capacities;
  }

  totals(): readonly SubjectTotal[] {
    const totals = this.#subjects.map((subject, index) => ({ subject, numbers: this.#ended[index]!.slice() }));
    for (const { blocks } of this.#ledgers) {
      blocks.forEach((block, index) => addBlock(totals[index]!.numbers, block, false));
    }
    return totals;
  }
}

/** The blocks of one owner worker, in the order of the book's subjects. */
export class WorkerLedger {
  readonly blocks: MetricsBlock[] = [];
  readonly #subjects: readonly Subject[];

  /** @param subjects the book's own list, which grows. */
  constructor(subjects: readonly Subject[]) {
    this.#subjects = subjects;
  }

  /** Blocks of the subjects that were learnt since the last time, for the worker to count in. */
  grow(): readonly MetricsBlock[] {
    const fresh = this.#subjects.slice(this.blocks.length).map(createBlock);
    this.blocks.push(...fresh);
    return fresh;
  }
}
