/** How far an execution is. Written by both sides, so that a withdrawal and a start cannot both win. */
export const PHASE = { waiting: 0, preparing: 1, executing: 2, executed: 3, withdrawn: 4 } as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

const START_BYTES = 8;
const PHASE_BYTES = 4;

/**
 * Shared memory of a pool and its threads: for each execution under way its phase, and when its `execute` was called. It saves a
 * message for each start, and it still tells when a thread is too busy to answer.
 */
export class Board {
  readonly #starts: Float64Array;
  readonly #phases: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer) {
    const slots = buffer.byteLength / (START_BYTES + PHASE_BYTES);
    this.#starts = new Float64Array(buffer, 0, slots);
    this.#phases = new Int32Array(buffer, slots * START_BYTES, slots);
  }

  static ofSlots(slots: number): Board {
    return new Board(new SharedArrayBuffer(slots * (START_BYTES + PHASE_BYTES)));
  }

  /** The owner, before it hands the slot to an execution. */
  reset(slot: number): void {
    Atomics.store(this.#phases, slot, PHASE.waiting);
  }

  phase(slot: number): Phase {
    return Atomics.load(this.#phases, slot) as Phase;
  }

  /** The thread. `false`: it has been withdrawn and must not be touched. */
  prepare(slot: number): boolean {
    return Atomics.compareExchange(this.#phases, slot, PHASE.waiting, PHASE.preparing) === PHASE.waiting;
  }

  /** The thread, right before it calls `execute`. */
  execute(slot: number): void {
    this.#starts[slot] = monotonicMs();
    Atomics.store(this.#phases, slot, PHASE.executing);
  }

  /** The thread, when `execute` has ended: its time is no longer measured. */
  executed(slot: number): void {
    Atomics.store(this.#phases, slot, PHASE.executed);
  }

  /** The owner. `false`: the thread has begun and may be using the execution's memory. */
  withdraw(slot: number): boolean {
    return Atomics.compareExchange(this.#phases, slot, PHASE.waiting, PHASE.withdrawn) === PHASE.waiting;
  }

  /** Milliseconds since `execute` was called, in a slot that is executing. */
  executedMs(slot: number): number {
    return monotonicMs() - this.#starts[slot]!;
  }
}

/** Of the machine, hence the same in all threads; `performance.now` begins with each thread. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
