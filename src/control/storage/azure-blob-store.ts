import type { ContainerClient } from '@azure/storage-blob';
import type { Readable } from 'node:stream';

import type { StorageAddress } from './address.js';
import { connectionString, pipelineOptions } from './azure-options.js';
import { directoryName, type ObjectStore, type StoredObject } from './object-store.js';

/**
 * Opens a container of Azure blobs.
 *
 * @throws ServingError AS_INVALID_ACCESS without AZURE_STORAGE_CONNECTION_STRING
 */
export function openAzureBlobs(
  { container }: StorageAddress,
  { ContainerClient }: typeof import('@azure/storage-blob'),
  environment: NodeJS.ProcessEnv = process.env,
): ObjectStore {
  const options = pipelineOptions('blob', environment);
  return new AzureBlobStore(new ContainerClient(connectionString(environment), container, options));
}

class AzureBlobStore implements ObjectStore {
  readonly #container: ContainerClient;

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  async listDirectories(directory: string, abortSignal: AbortSignal): Promise<readonly string[] | null> {
    const names: string[] = [];
    let isEmpty = true;
    for await (const item of this.#container.listBlobsByHierarchy('/', { prefix: directory, abortSignal })) {
      isEmpty = false;
      if (item.kind === 'prefix') names.push(directoryName(item.name, directory));
    }
    return isEmpty ? null : names;
  }

  async listObjects(directory: string, abortSignal: AbortSignal): Promise<readonly StoredObject[]> {
    const objects: StoredObject[] = [];
    for await (const { name, properties } of this.#container.listBlobsFlat({ prefix: directory, abortSignal })) {
      const { contentLength = 0, etag } = properties;
      objects.push({ name: name.slice(directory.length), size: contentLength, tag: etag });
    }
    return objects;
  }

  async read(key: string, abortSignal: AbortSignal): Promise<Readable> {
    const { readableStreamBody } = await this.#container.getBlobClient(key).download(0, undefined, { abortSignal });
    return readableStreamBody as Readable;
  }
}
