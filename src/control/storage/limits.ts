/** How long a storage may take. Tests have less patience. */
export interface StorageLimits {
  /** Milliseconds for one listing, retries included. */
  readonly listing: number;
  /** Milliseconds without a byte after which a download is given up. */
  readonly stall: number;
  /** Objects that are downloaded at once, those of all models together. */
  readonly downloads: number;
}

export const STORAGE_LIMITS: StorageLimits = { listing: 15_000, stall: 30_000, downloads: 4 };

/** Milliseconds to wait for a connection. */
export const CONNECTION_TIMEOUT = 5_000;
/** One retry: the watcher comes again anyway. */
export const ATTEMPTS = 2;
