import type { Bucket, GetFilesOptions, GetFilesResponse } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';
import type { Readable } from 'node:stream';

import type { StorageAddress } from './address.js';
import { ATTEMPTS } from './limits.js';
import { directoryName, type ObjectStore, type StoredObject } from './object-store.js';

/** What a listing answers, of which the package types only the files. */
interface Page {
  readonly nextPageToken?: string;
  readonly prefixes?: readonly string[];
  readonly items?: readonly { readonly name: string; readonly size: string; readonly generation: string }[];
}

/**
 * Opens a bucket of Google Cloud Storage with the credentials that GOOGLE_APPLICATION_CREDENTIALS names, and without any when it names
 * none, as for public buckets (as OVMS 2026.2.1). The package itself knows STORAGE_EMULATOR_HOST and the variables of proxies.
 */
export function openGcs(
  { container }: StorageAddress,
  { Storage }: typeof import('@google-cloud/storage'),
  environment: NodeJS.ProcessEnv = process.env,
): ObjectStore {
  const retryOptions = { maxRetries: ATTEMPTS - 1 };
  if (environment['GOOGLE_APPLICATION_CREDENTIALS'] !== undefined) {
    return new GcsStore(new Storage({ retryOptions }).bucket(container));
  }
  // The package would ask the machine's metadata server for the project, which reading does not need.
  const anonymous = { authClient: new PassThroughClient(), projectId: 'anonymous' };
  return new GcsStore(new Storage({ retryOptions, ...anonymous }).bucket(container));
}

class GcsStore implements ObjectStore {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async listDirectories(directory: string, signal: AbortSignal): Promise<readonly string[] | null> {
    const names: string[] = [];
    let isEmpty = true;
    for await (const { prefixes = [], items = [] } of this.#pages({ prefix: directory, delimiter: '/' }, signal)) {
      names.push(...prefixes.map((prefix) => directoryName(prefix, directory)));
      isEmpty &&= prefixes.length + items.length === 0;
    }
    return isEmpty ? null : names;
  }

  async listObjects(directory: string, signal: AbortSignal): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = [];
    for await (const { items = [] } of this.#pages({ prefix: directory }, signal)) {
      for (const { name, size, generation } of items) {
        objects.push({ name: name.slice(directory.length), size: Number(size), tag: generation });
      }
    }
    return objects;
  }

  read(key: string): Promise<Readable> {
    return Promise.resolve(this.#bucket.file(key).createReadStream());
  }

  async *#pages(query: GetFilesOptions, signal: AbortSignal): AsyncGenerator<Page> {
    for (let pageToken: string | undefined; ;) {
      const asked = { ...query, autoPaginate: false, ...(pageToken === undefined ? {} : { pageToken }) };
      const answer: GetFilesResponse = await orAborted(this.#bucket.getFiles(asked), signal);
      const page = answer[2] as Page;
      yield page;
      pageToken = page.nextPageToken;
      if (pageToken === undefined) return;
    }
  }
}

/** The package cannot be told to stop: what it still answers is left unread. */
async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', abort!);
  }
}
