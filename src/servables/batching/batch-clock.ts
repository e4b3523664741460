/** What the waiting of a batch is measured by; that of the event loop, or one that a test moves. */
export interface BatchClock {
  /** Milliseconds, with fractions. */
  now(): number;
  /** Runs `work` when what runs now has ended, before the event loop goes on. */
  soon(work: () => void): void;
  /** Runs `work` once, not before `moment`. @returns what takes it back. */
  at(moment: number, work: () => void): () => void;
}

/**
 * The clock of this thread. Its timers know whole milliseconds only, so the last fraction of a wait is spent in turns of the event loop,
 * each of which serves whatever else has come up: a wait below a millisecond ends within a turn of its time, and keeps the thread
 * awake until then.
 */
export const eventLoopClock: BatchClock = {
  now: () => performance.now(),
  soon: (work) => queueMicrotask(work),
  at: (moment, work) => {
    let cancel = (): void => undefined;
    const wait = (): void => {
      const left = moment - performance.now();
      if (left <= 0) work();
      else if (left < 1) cancel = afterTurn(wait);
      else cancel = afterMilliseconds(Math.floor(left), wait);
    };
    wait();
    return () => cancel();
  },
};

function afterTurn(work: () => void): () => void {
  const immediate = setImmediate(work);
  return () => clearImmediate(immediate);
}

function afterMilliseconds(delay: number, work: () => void): () => void {
  const timer = setTimeout(work, delay);
  return () => clearTimeout(timer);
}
