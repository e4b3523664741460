import type { Readable } from 'node:stream';

/** An object below a directory of a storage. */
export interface StoredObject {
  /** Relative to the directory, parts separated by `/`. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Another one when the content is another. */
  readonly tag: string;
}

/**
 * A bucket, container or share, read only. Every call ends when its signal is aborted, and rejects with the fault as the vendor's
 * package has it.
 */
export interface ObjectStore {
  /** Names of the directories right below one (`''`, or with `/` at its end); `null` when there is nothing at all. */
  listDirectories(directory: string, signal: AbortSignal): Promise<readonly string[] | null>;

  /** All objects below a directory, at any depth. */
  listObjects(directory: string, signal: AbortSignal): Promise<readonly StoredObject[]>;

  /** The content of an object; the caller reads it to its end or destroys it. */
  read(key: string, signal: AbortSignal): Promise<Readable>;
}

/** `a/b/` below `a/` is `b`. */
export function directoryName(prefix: string, directory: string): string {
  return prefix.slice(directory.length).replace(/\/$/, '');
}
