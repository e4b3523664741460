import type { ServerState } from '../frontends/server-state.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';

/** Whether the first load pass is over, as the control plane says it in its snapshots. Models that failed do not matter. */
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
  observe({ isLoaded }: Pick<ServablesSnapshot, 'isLoaded'>): void {
    if (!isLoaded) return;
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
