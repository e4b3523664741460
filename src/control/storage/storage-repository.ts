import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';

import type { ModelSettings } from '../../config/settings.js';
import { ServingError } from '../../errors.js';
import { findModelFile, missingModelFile } from '../../servables/model-file.js';
import { openVersion, versionsAmong, type VersionScan } from '../../servables/repository.js';
import type { ModelRepository, OpenedVersion } from '../model-repository.js';
import { parseStorageAddress, type StorageAddress } from './address.js';
import { copyObject, isInside, isSameListing, withoutMarkers } from './copy-objects.js';
import { FailedTries } from './failed-tries.js';
import { STORAGE_LIMITS, type StorageLimits } from './limits.js';
import type { ObjectStore, StoredObject } from './object-store.js';
import { openStore } from './open-store.js';
import { fromVendor, loggerOf, storageError } from './storage-fault.js';

interface Storage {
  readonly address: StorageAddress;
  readonly store: ObjectStore;
}

/**
 * Versions in cloud storages. A scan only lists; a version is copied into a directory of its own below the machine's temporary one
 * when it is opened, and the copy is deleted when it is released. All of it is network and file I/O of the thread that owns it, which
 * is the control plane's.
 */
export class StorageRepository implements ModelRepository {
  readonly #limits: StorageLimits;
  readonly #open: typeof openStore;
  readonly #slot: ReturnType<typeof pLimit>;
  readonly #stores = new Map<string, Promise<ObjectStore>>();
  readonly #failed = new WeakMap<ModelSettings, FailedTries>();
  readonly #copies = new Set<string>();
  readonly #stopping = new AbortController();

  /** @param open makes the store of an address; tests give their own. */
  constructor(limits: StorageLimits = STORAGE_LIMITS, open = openStore) {
    this.#limits = limits;
    this.#open = open;
    this.#slot = pLimit(limits.downloads);
  }

  /**
   * @throws ServingError PATH_INVALID when nothing lies there, S3_*, GCS_*, AS_* of the storage, STORAGE_PACKAGE_MISSING,
   * SERVER_STOPPING
   */
  async scan(basePath: string): Promise<VersionScan> {
    const { address, store } = await this.#storage(basePath);
    const names = await this.#ask(address, basePath, (signal) => store.listDirectories(address.prefix, signal));
    if (names === null) {
      throw new ServingError('PATH_INVALID', `expected objects at ${basePath}, received none`);
    }
    return versionsAmong(names, basePath);
  }

  /**
   * Copies a version. It must be the same before and after: what changes meanwhile is an upload that has not ended.
   *
   * @throws ServingError as {@link scan}; FILE_INVALID without a model file, MODEL_MAPPING_INVALID; the fault of an earlier try with
   * these settings when nothing has changed since and it is not yet time for another
   */
  async open(settings: ModelSettings, version: number): Promise<OpenedVersion> {
    const { basePath } = settings;
    const storage = await this.#storage(basePath);
    const objects = await this.#list(storage, version);
    const tries = this.#tries(settings);
    tries.check(version, objects);
    checkObjects(storage.address, objects, versionText(basePath, version));
    const root = await mkdtemp(join(tmpdir(), 'vinery-'));
    this.#copies.add(root);
    try {
      await this.#copy(storage, objects, version, join(root, String(version)));
      if (!isSameListing(objects, await this.#list(storage, version))) {
        const text = `${versionText(basePath, version)} changed while it was copied`;
        throw storageError(storage.address, 'get', text);
      }
      const release = (fault?: unknown): Promise<void> => {
        if (fault !== undefined) tries.failed(version, objects, fault);
        return this.#discard(root);
      };
      return { ...(await openVersion(root, version)), release };
    } catch (error) {
      await this.#discard(root);
      throw error;
    }
  }

  /** Ends what runs, whose callers get SERVER_STOPPING, and deletes every copy. */
  async close(): Promise<void> {
    this.#stopping.abort(new ServingError('SERVER_STOPPING'));
    await Promise.all([...this.#copies].map((root) => this.#discard(root)));
  }

  /** The client of a storage keeps its connections from one look to the next. */
  async #storage(basePath: string): Promise<Storage> {
    const address = parseStorageAddress(basePath);
    const key = JSON.stringify([address.kind, address.endpoint, address.container]);
    const known = this.#stores.get(key);
    const store = known ?? this.#open(address);
    this.#stores.set(key, store);
    try {
      return { address, store: await store };
    } catch (error) {
      this.#stores.delete(key);
      throw error instanceof ServingError ? error : fromVendor(address, 'list', basePath, error);
    }
  }

  #tries(settings: ModelSettings): FailedTries {
    const known = this.#failed.get(settings) ?? new FailedTries();
    this.#failed.set(settings, known);
    return known;
  }

  async #list({ address, store }: Storage, version: number): Promise<StoredObject[]> {
    const directory = `${address.prefix}${version}/`;
    const where = `${address.kind}://${address.container}/${directory}`;
    return withoutMarkers(await this.#ask(address, where, (signal) => store.listObjects(directory, signal)));
  }

  /** One listing, within its time. */
  async #ask<T>(address: StorageAddress, where: string, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { listing } = this.#limits;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${listing} ms`)), listing);
    const signal = AbortSignal.any([this.#stopping.signal, late.signal]);
    try {
      signal.throwIfAborted();
      return await question(signal);
    } catch (error) {
      const fault = fromVendor(address, 'list', where, signal.aborted ? signal.reason : error);
      loggerOf(address).debug(`Listing ${where} failed: ${fault.message}`);
      throw fault;
    } finally {
      clearTimeout(timer);
    }
  }

  async #copy(
    { address, store }: Storage,
    objects: readonly StoredObject[],
    version: number,
    directory: string,
  ): Promise<void> {
    const prefix = `${address.prefix}${version}/`;
    const logger = loggerOf(address);
    const bytes = objects.reduce((sum, { size }) => sum + size, 0);
    logger.info(`Downloading ${objects.length} objects, ${bytes} bytes, of ${address.container}/${prefix}`);
    const given = new AbortController();
    const stopped = AbortSignal.any([this.#stopping.signal, given.signal]);
    const copies = objects.map((object) =>
      this.#slot(async () => {
        stopped.throwIfAborted();
        await this.#copyOne(address, store, prefix, object, directory, stopped);
        logger.debug(`Downloaded ${prefix}${object.name}`);
      }),
    );
    try {
      await Promise.all(copies);
    } catch (error) {
      // The others end before the directory goes.
      given.abort(error);
      await Promise.allSettled(copies);
      throw error;
    }
  }

  async #copyOne(
    address: StorageAddress,
    store: ObjectStore,
    prefix: string,
    object: StoredObject,
    directory: string,
    stopped: AbortSignal,
  ): Promise<void> {
    const key = `${prefix}${object.name}`;
    let bytes: number;
    try {
      bytes = await copyObject((signal) => store.read(key, signal), directory, object, this.#limits.stall, stopped);
    } catch (error) {
      throw fromVendor(address, 'get', `${address.container}/${key}`, error);
    }
    if (bytes !== object.size) {
      const text = `${address.container}/${key}: expected ${object.size} bytes as listed, received ${bytes}`;
      throw storageError(address, 'get', text);
    }
  }

  async #discard(root: string): Promise<void> {
    if (this.#copies.delete(root)) await rm(root, { recursive: true, force: true });
  }
}

/** Nothing is downloaded of what could not be loaded anyway, and nothing that would land outside of the copy. */
function checkObjects(address: StorageAddress, objects: readonly StoredObject[], where: string): void {
  const outside = objects.find(({ name }) => !isInside(name));
  if (outside !== undefined) {
    throw storageError(
      address,
      'name',
      `expected the names of files below ${where}, received ${JSON.stringify(outside.name)}`,
    );
  }
  const names = objects.map(({ name }) => name).filter((name) => !name.includes('/'));
  if (findModelFile(where, names) === null) throw missingModelFile(where, names);
}

function versionText(basePath: string, version: number): string {
  return `${basePath.replace(/\/+$/, '')}/${version}`;
}
