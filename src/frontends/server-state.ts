/** What the server knows of itself. */
export interface ServerState {
  readonly version: string;
  /** Whether the first load pass is over, in whichever way; never goes back (as OVMS 2026.2.1). */
  isReady(): boolean;
  /** Resolves when it is. */
  ready(): Promise<void>;
}
