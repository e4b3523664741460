import type { BatchingSettings } from '../../config/settings.js';
import type { ServingError } from '../../errors.js';
import type { InferRequest } from '../../inference/inference.js';
import type { Withdraw } from '../../nodes/node-instance.js';
import { isStatic } from '../../tensors/shape.js';
import { failed, type RuntimePort, type UnitSession } from '../node-unit.js';
import type { BatchClock } from './batch-clock.js';
import { Batch, BatchMember } from './batch.js';
import { inferTogether, type BatchedModel } from './infer-together.js';

/**
 * Joins the sessions of a model version in one owner worker, whatever requests and pipelines they belong to, and infers them at once.
 *
 * A batch stays open while it waits: for company, as long as its oldest member may wait and an infer request is free; and for an infer
 * request, however long that takes. What comes up in one turn of the event loop is joined without any wait. Sessions are joined when
 * their inputs differ in nothing but the number of rows, and go in the order in which they came. One that has more rows than a batch
 * may have, or none, goes by itself.
 */
export class Batcher {
  readonly #model: BatchedModel;
  readonly #settings: BatchingSettings;
  readonly #clock: BatchClock;
  readonly #delayMs: number;
  /** Whether all rows have one shape, so that nobody needs to be asked. */
  readonly #isUniform: boolean;
  /** Those that others may join, by the shapes of their rows. */
  readonly #open = new Map<string, Batch>();
  /** The next look at those that have no place in the queue. */
  #wakeAt = Infinity;
  #cancelWake: (() => void) | null = null;

  /** @param inputs ports of the model, as requests have them. */
  constructor(model: BatchedModel, inputs: readonly RuntimePort[], settings: BatchingSettings, clock: BatchClock) {
    this.#model = model;
    this.#settings = settings;
    this.#clock = clock;
    this.#delayMs = settings.maxQueueDelayMicros / 1000;
    this.#isUniform = inputs.every(({ info }) => isStatic(info.shape.slice(1)));
  }

  start(session: UnitSession): Withdraw {
    session.metrics.queued(this.#model.metrics);
    const member = new BatchMember(session, this.#clock.now());
    this.#add(member);
    return (error) => this.#withdraw(member, error);
  }

  #add(member: BatchMember): void {
    const { maxBatchSize } = this.#settings;
    const { rows } = member;
    if (rows === null || rows > maxBatchSize) return this.#goAlone(member);
    const key = this.#isUniform ? '' : member.rowShapes;
    let batch = this.#open.get(key);
    if (batch !== undefined && batch.rows + rows > maxBatchSize) {
      this.#close(batch);
      batch = undefined;
    }
    const isNew = batch === undefined;
    if (batch === undefined) this.#open.set(key, (batch = new Batch(key)));
    batch.add(member);
    if (batch.rows === maxBatchSize) this.#close(batch);
    else if (isNew || this.#settings.preferredBatchSizes.includes(batch.rows)) this.#considerSoon(batch);
  }

  #goAlone(member: BatchMember): void {
    const batch = new Batch(null);
    batch.add(member);
    this.#queue(batch);
  }

  /** Nobody joins it any more, so it has nothing to wait for but an infer request. */
  #close(batch: Batch): void {
    batch.isOpen = false;
    this.#open.delete(batch.key!);
    this.#queue(batch);
  }

  /** After what runs now: whoever comes with it, as the other shards of a demultiplexer, is to be joined. */
  #considerSoon(batch: Batch): void {
    if (!batch.isQueued) this.#clock.soon(() => this.#consider(batch));
  }

  #consider(batch: Batch): void {
    if (batch.isQueued || batch.members.length === 0) return;
    if (this.#model.pool.idle === 0 || this.#isDue(batch)) this.#queue(batch);
    else this.#arm();
  }

  #isDue(batch: Batch): boolean {
    return this.#mustGo(batch) || this.#preferredCount(batch) > 0;
  }

  #mustGo(batch: Batch): boolean {
    return !batch.isOpen || this.#deadline(batch) <= this.#clock.now();
  }

  #deadline({ members }: Batch): number {
    return members[0]!.since + this.#delayMs;
  }

  /** How many of the first members have a preferred number of rows together, the most of such; 0: none. */
  #preferredCount({ members }: Batch): number {
    const { preferredBatchSizes } = this.#settings;
    if (preferredBatchSizes.length === 0) return 0;
    let rows = 0;
    let count = 0;
    members.forEach((member, index) => {
      rows += member.rows!;
      if (preferredBatchSizes.includes(rows)) count = index + 1;
    });
    return count;
  }

  #queue(batch: Batch): void {
    if (batch.isQueued) return;
    batch.isQueued = true;
    batch.ticket = this.#model.pool.acquire((request) => {
      batch.isQueued = false;
      this.#granted(batch, request);
    });
  }

  #granted(batch: Batch, request: InferRequest): void {
    if (!this.#isDue(batch)) {
      this.#model.pool.giveBack(request);
      return this.#arm();
    }
    const count = this.#mustGo(batch) ? batch.members.length : this.#preferredCount(batch);
    const members = batch.take(count);
    if (batch.members.length === 0) this.#drop(batch);
    inferTogether(this.#model, request, members, (member) => this.#goAlone(member));
    this.#consider(batch);
    if (this.#cancelWake !== null) this.#arm();
  }

  #withdraw(member: BatchMember, error: ServingError): void {
    const { batch, session } = member;
    if (batch === null) {
      member.abandoned = error;
      return;
    }
    batch.remove(member);
    if (batch.members.length === 0) {
      if (batch.isQueued) this.#model.pool.withdraw(batch.ticket!);
      this.#drop(batch);
      if (this.#cancelWake !== null) this.#arm();
    }
    if (member.hasStarted) session.metrics.ended(this.#model.metrics);
    else session.metrics.withdrawn(this.#model.metrics);
    session.ended(failed(error));
  }

  #drop(batch: Batch): void {
    if (batch.isOpen) this.#open.delete(batch.key!);
    batch.isOpen = false;
  }

  /** One timer for all, and only while a batch waits for company. */
  #arm(): void {
    let earliest = Infinity;
    for (const batch of this.#open.values()) {
      if (!batch.isQueued) earliest = Math.min(earliest, this.#deadline(batch));
    }
    if (earliest === this.#wakeAt) return;
    this.#cancelWake?.();
    this.#cancelWake = null;
    this.#wakeAt = earliest;
    if (earliest < Infinity) this.#cancelWake = this.#clock.at(earliest, () => this.#wake());
  }

  #wake(): void {
    this.#cancelWake = null;
    this.#wakeAt = Infinity;
    for (const batch of [...this.#open.values()]) this.#consider(batch);
    this.#arm();
  }
}
