import { isSameListing } from './copy-objects.js';
import type { StoredObject } from './object-store.js';

interface FailedTry {
  readonly objects: readonly StoredObject[];
  readonly fault: unknown;
  /** How often it was looked at, with or without a download. */
  readonly looks: number;
}

/**
 * What could be copied but not loaded, of one model with one set of settings. The watcher comes back to such a version at every look;
 * it is worth another download when its objects have changed, and else after 1, 2, 4, 8 ... looks, in case the machine was at fault.
 */
export class FailedTries {
  readonly #tries = new Map<number, FailedTry>();

  failed(version: number, objects: readonly StoredObject[], fault: unknown): void {
    const last = this.#tries.get(version);
    const looks = last !== undefined && isSameListing(last.objects, objects) ? last.looks : 1;
    this.#tries.set(version, { objects, fault, looks });
  }

  /** @throws the fault of the last try when this is no time for another one */
  check(version: number, objects: readonly StoredObject[]): void {
    const last = this.#tries.get(version);
    if (last === undefined || !isSameListing(last.objects, objects)) return;
    const looks = last.looks + 1;
    this.#tries.set(version, { ...last, looks });
    if (!Number.isInteger(Math.log2(looks))) throw last.fault;
  }
}
