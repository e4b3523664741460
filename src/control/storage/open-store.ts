import { ServingError } from '../../errors.js';
import type { StorageAddress, StorageKind } from './address.js';
import type { ObjectStore } from './object-store.js';

/** Loads a vendor's package with the first path that needs it, and opens the storage by it. */
type Opener = (address: StorageAddress) => Promise<ObjectStore>;

const OPENERS: Readonly<Record<StorageKind, Opener>> = {
  async s3(address) {
    const library = await storagePackage('@aws-sdk/client-s3', () => import('@aws-sdk/client-s3'));
    const { openS3 } = await import('./s3-store.js');
    return openS3(address, library);
  },
  async gs(address) {
    const library = await storagePackage('@google-cloud/storage', () => import('@google-cloud/storage'));
    const { openGcs } = await storagePackage('google-auth-library', () => import('./gcs-store.js'));
    return openGcs(address, library);
  },
  async az(address) {
    const library = await storagePackage('@azure/storage-blob', () => import('@azure/storage-blob'));
    const { openAzureBlobs } = await import('./azure-blob-store.js');
    return openAzureBlobs(address, library);
  },
  async azfs(address) {
    const library = await storagePackage('@azure/storage-file-share', () => import('@azure/storage-file-share'));
    const { openAzureShare } = await import('./azure-share-store.js');
    return openAzureShare(address, library);
  },
};

/**
 * Opens the storage of an address; nothing is asked of it yet.
 *
 * @throws ServingError STORAGE_PACKAGE_MISSING, AS_INVALID_ACCESS
 */
export function openStore(address: StorageAddress): Promise<ObjectStore> {
  return OPENERS[address.kind](address);
}

/**
 * The packages of the vendors are optional: an installation without them serves local models.
 *
 * @throws ServingError STORAGE_PACKAGE_MISSING that says what to install
 */
export async function storagePackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ServingError('STORAGE_PACKAGE_MISSING', `install it: npm install ${name}`, { cause });
  }
}
