import type { ServerState } from '../frontends/server-state.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';
import type { VersionStatus } from '../servables/serving.js';

/**
 * Whether the first load pass is over, as an owner worker can see it: the configuration was read, nothing is loading any more, and of
 * some model, if there are any, a version was found. Never goes back.
 */
export class Readiness implements ServerState {
  readonly version: string;
  readonly #ready: Promise<void>;
  #resolve!: () => void;
  #isReady = false;

  constructor(version: string) {
    this.version = version;
    this.#ready = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Looks at a snapshot that this worker runs on. */
  observe({ epoch, models, pipelines }: ServablesSnapshot): void {
    if (this.#isReady || epoch === 0) return;
    const versions = models.flatMap((model) => model.versions);
    // A model is listed before its versions are: a configuration whose models have none at all was only just read.
    if (models.length > 0 && versions.length === 0) return;
    if (versions.some(isLoading) || pipelines.some(isLoading)) return;
    this.#isReady = true;
    this.#resolve();
  }

  isReady(): boolean {
    return this.#isReady;
  }

  ready(): Promise<void> {
    return this.#ready;
  }
}

function isLoading({ state, errorCode }: Pick<VersionStatus, 'state' | 'errorCode'>): boolean {
  return (state === 'START' || state === 'LOADING') && errorCode === 'OK';
}
