import { fromNativeError } from '../native/errors.js';
import type { NativeBinding } from '../native/binding.js';
import { log } from '../observability/logger.js';
import type { ModelSnapshot } from '../servables/snapshot.js';

/**
 * Removes the sequences of stateful models that clients have begun and left: those that had no successful request from one scan to the
 * next (as OVMS 2026.2.1). Models without `idle_sequence_cleanup` are passed over.
 */
export class SequenceCleaner {
  readonly #binding: Pick<NativeBinding, 'removeIdleSequences'>;
  readonly #models: () => readonly ModelSnapshot[];

  /** @param models those of this moment; the control plane must hold what they show. */
  constructor(binding: Pick<NativeBinding, 'removeIdleSequences'>, models: () => readonly ModelSnapshot[]) {
    this.#binding = binding;
    this.#models = models;
  }

  /** One scan. Never throws: the next one comes whatever happened in this. */
  scan(): void {
    log.modelmanager.debug('Sequence cleaner scan begin');
    for (const { name, versions } of this.#models()) {
      for (const { version, serving } of versions) {
        if (serving?.stateful?.idleSequenceCleanup === true) this.#clean(name, version, serving.reference.modelId);
      }
    }
    log.modelmanager.debug('Sequence cleaner scan end');
  }

  #clean(name: string, version: number, modelId: number): void {
    try {
      for (const id of this.#binding.removeIdleSequences(modelId)) {
        log.sequenceManager.debug(
          `[Idle sequence cleanup] Removing sequence with id: ${id} on model ${name}, version: ${version}`,
        );
      }
    } catch (error) {
      log.sequenceManager.error(
        `Idle sequence cleanup of model ${name}, version: ${version} failed: ${String(fromNativeError(error))}`,
      );
    }
  }
}
