import type { ShareClient } from '@azure/storage-file-share';
import type { Readable } from 'node:stream';

import type { StorageAddress } from './address.js';
import { connectionString, pipelineOptions } from './azure-options.js';
import type { ObjectStore, StoredObject } from './object-store.js';

/**
 * Opens an Azure file share.
 *
 * @throws ServingError AS_INVALID_ACCESS without AZURE_STORAGE_CONNECTION_STRING
 */
export function openAzureShare(
  { container }: StorageAddress,
  { ShareClient }: typeof import('@azure/storage-file-share'),
  environment: NodeJS.ProcessEnv = process.env,
): ObjectStore {
  const options = pipelineOptions('file', environment);
  return new AzureShareStore(new ShareClient(connectionString(environment), container, options));
}

class AzureShareStore implements ObjectStore {
  readonly #share: ShareClient;

  constructor(share: ShareClient) {
    this.#share = share;
  }

  /** A share has real directories: one that is not there is a fault of its own. */
  async listDirectories(directory: string, abortSignal: AbortSignal): Promise<readonly string[] | null> {
    const names: string[] = [];
    try {
      for await (const { kind, name } of this.#directory(directory).listFilesAndDirectories({ abortSignal })) {
        if (kind === 'directory') names.push(name);
      }
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ResourceNotFound') return null;
      throw error;
    }
    return names;
  }

  async listObjects(directory: string, abortSignal: AbortSignal): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = [];
    await this.#collect(directory, '', objects, abortSignal);
    return objects;
  }

  async read(key: string, abortSignal: AbortSignal): Promise<Readable> {
    const [name = '', ...directories] = key.split('/').reverse();
    const file = this.#directory(directories.reverse().join('/')).getFileClient(name);
    const { readableStreamBody } = await file.download(0, undefined, { abortSignal });
    return readableStreamBody as Readable;
  }

  async #collect(root: string, below: string, objects: StoredObject[], abortSignal: AbortSignal): Promise<void> {
    // Without the extended info a service may leave out the tag, which changes with the content.
    const wanted = { includeEtag: true, includeExtendedInfo: true, abortSignal };
    for await (const item of this.#directory(root + below).listFilesAndDirectories(wanted)) {
      const name = `${below}${item.name}`;
      if (item.kind === 'directory') await this.#collect(root, `${name}/`, objects, abortSignal);
      else objects.push({ name, size: item.properties.contentLength, tag: item.properties.etag ?? '' });
    }
  }

  #directory(path: string) {
    return this.#share.getDirectoryClient(path.replace(/\/$/, ''));
  }
}
