import { EMPTY_SNAPSHOT, type ServablesSnapshot } from '../servables/snapshot.js';

/**
 * Sends a snapshot of all servables after every change. Changes made in one go, without waiting for anything, are one snapshot: the
 * data plane never sees half of them.
 */
export class SnapshotPublisher {
  readonly #make: (epoch: number) => ServablesSnapshot;
  readonly #send: (snapshot: ServablesSnapshot) => Promise<void>;
  #epoch = EMPTY_SNAPSHOT.epoch;
  #next: Promise<void> | null = null;
  #sent: Promise<void> = Promise.resolve();

  /** @param send resolves when every owner worker runs on the snapshot. */
  constructor(make: (epoch: number) => ServablesSnapshot, send: (snapshot: ServablesSnapshot) => Promise<void>) {
    this.#make = make;
    this.#send = send;
  }

  /** Snapshots sent so far. */
  get epoch(): number {
    return this.#epoch;
  }

  changed(): void {
    this.#next ??= Promise.resolve().then(() => {
      this.#next = null;
      this.#epoch += 1;
      const earlier = this.#sent;
      this.#sent = this.#send(this.#make(this.#epoch)).then(() => earlier);
    });
  }

  /** Resolves when every owner worker runs on all changes made so far. */
  async applied(): Promise<void> {
    await this.#next;
    await this.#sent;
  }
}
