import { availableParallelism } from 'node:os';

/**
 * An inference below this on the calling thread costs less there than elsewhere. Where cores are many, elsewhere costs the way to a
 * stream's thread and back (45-75 us, measured) and is shared by them; where they are few there is hardly anybody to share it.
 */
export const INLINE_BOUND_MICROS = availableParallelism() < 4 ? 300 : 150;
/**
 * What came in below the bound stays up to here. A busy machine makes inferences up to twice as long, as the thread computes, by caches that
 * others use, too; and elsewhere they would then take four times the CPU (measured).
 */
export const INLINE_END_MICROS = 2 * INLINE_BOUND_MICROS;

/** Weight of the newest time in the mean. */
const WEIGHT = 1 / 8;
/** No time counts for more than so many times the end: a thread that lost its core for a moment says nothing about the model. */
const LARGEST_SHARE = 4;
/** From this part of the bound on, a clock that costs a microsecond is worth it. */
const LONG_SHARE = 1 / 8;
const FIRST_PROBE_AFTER = 64;
const LAST_PROBE_AFTER = 1 << 20;

/**
 * Decides for one model in one owner worker whether the next inference runs on the event loop's own thread or is handed to a
 * stream's thread. Pure: told of times, asked for a decision.
 *
 * What has become slow leaves inline mode with the second inference in a row above the end, or when its mean is above it. It
 * comes back by a probe below the bound, one inference inline after 64 elsewhere; after each probe that was too slow, and each return that did not
 * last, twice as many come before the next. So a model that stays slow stands in the loop's way ever more rarely, and one that is
 * fast again is found out.
 */
export class InlineGate {
  #mean: number;
  #isInline = true;
  #wasSlow = false;
  /** Inferences inline since it came back. */
  #stayed = 0;
  /** Inferences elsewhere since inline mode ended or the last probe, and how many there are to be before the next. */
  #elsewhere = 0;
  #probeAfter = FIRST_PROBE_AFTER;

  /** @param measured microseconds of an inference on one thread, as measured when the model was loaded. */
  constructor(measured: number) {
    this.#mean = measured;
  }

  get isInline(): boolean {
    return this.#isInline;
  }

  /**
   * Whether inferences take so long that they should be told in time that the thread computed: on a machine that is busy it loses its core
   * now and then, which would end inline mode just when the way to another thread costs most.
   */
  get isLong(): boolean {
    return this.#mean > LONG_SHARE * INLINE_BOUND_MICROS;
  }

  /** Whether the next inference is to run inline. */
  admits(): boolean {
    return this.#isInline || ++this.#elsewhere > this.#probeAfter;
  }

  /** Tells how long an inference took inline. */
  observe(micros: number): void {
    if (!this.#isInline) return this.#judgeProbe(micros);
    this.#stayed += 1;
    this.#mean += (Math.min(micros, LARGEST_SHARE * INLINE_END_MICROS) - this.#mean) * WEIGHT;
    const isSlow = micros > INLINE_END_MICROS;
    if (this.#mean > INLINE_END_MICROS || (isSlow && this.#wasSlow)) this.#leave();
    else this.#wasSlow = isSlow;
  }

  #leave(): void {
    this.#isInline = false;
    this.#elsewhere = 0;
    this.#probeAfter = this.#stayed > this.#probeAfter ? FIRST_PROBE_AFTER : this.#later();
  }

  #later(): number {
    return Math.min(this.#probeAfter * 2, LAST_PROBE_AFTER);
  }

  #judgeProbe(micros: number): void {
    this.#elsewhere = 0;
    if (micros > INLINE_BOUND_MICROS) {
      this.#probeAfter = this.#later();
      return;
    }
    this.#isInline = true;
    this.#mean = micros;
    this.#wasSlow = false;
    this.#stayed = 0;
  }
}
