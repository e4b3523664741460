import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { ModelSettings } from '#src/config/settings.js';
import type { ObjectStore, StoredObject } from '#src/control/storage/object-store.js';
import { STORAGE_LIMITS } from '#src/control/storage/limits.js';
import { storagePackage } from '#src/control/storage/open-store.js';
import { StorageRepository } from '#src/control/storage/storage-repository.js';
import { ServingError } from '#src/errors.js';
import { covers } from '../../../contract/covers.js';

const SETTINGS = { basePath: 's3://bucket/zoo/model' } as ModelSettings;

/** A bucket in memory that counts what is asked of it. */
class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, Buffer>();
  readonly reads: string[] = [];
  running = 0;
  mostRunning = 0;
  /** Called while an object is read. */
  during: (key: string) => Promise<void> | void = () => undefined;

  constructor(objects: Readonly<Record<string, string>>) {
    for (const [key, content] of Object.entries(objects)) this.objects.set(key, Buffer.from(content));
  }

  listDirectories(directory: string): Promise<readonly string[] | null> {
    const below = this.#below(directory).map((key) => key.slice(directory.length));
    const names = below.filter((name) => name.includes('/')).map((name) => name.split('/')[0]!);
    return Promise.resolve(below.length === 0 ? null : [...new Set(names)]);
  }

  listObjects(directory: string): Promise<readonly StoredObject[]> {
    const found = this.#below(directory).map((key) => {
      const content = this.objects.get(key)!;
      return { name: key.slice(directory.length), size: content.length, tag: content.toString('base64') };
    });
    return Promise.resolve(found);
  }

  async read(key: string): Promise<Readable> {
    this.reads.push(key);
    this.mostRunning = Math.max(this.mostRunning, (this.running += 1));
    await this.during(key);
    const stream = Readable.from([this.objects.get(key)!]);
    stream.once('close', () => (this.running -= 1));
    return stream;
  }

  #below(directory: string): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(directory));
  }
}

function repositoryOf(store: ObjectStore, limits = STORAGE_LIMITS): StorageRepository {
  return new StorageRepository(limits, () => Promise.resolve(store));
}

const MODEL = { 'zoo/model/1/m.xml': '<net/>', 'zoo/model/1/m.bin': 'weights' };

describe('a repository in a cloud storage', () => {
  it('copies all of a version, and deletes the copy when it is released', async () => {
    covers('repository.cloud-copies');
    const store = new MemoryStore({ ...MODEL, 'zoo/model/1/sub/deep/notes.txt': 'notes', 'zoo/model/1/sub/': '' });
    const repository = repositoryOf(store);
    const { directory, modelFile, release } = await repository.open(SETTINGS, 1);
    assert.equal(modelFile.format, 'IR');
    assert.deepEqual(readdirSync(directory).sort(), ['m.bin', 'm.xml', 'sub']);
    assert.equal(readFileSync(join(directory, 'sub/deep/notes.txt'), 'utf8'), 'notes');
    await release();
    assert.ok(!existsSync(dirname(directory)));
  });

  it('deletes every copy when it is closed', async () => {
    const repository = repositoryOf(new MemoryStore(MODEL));
    const { directory } = await repository.open(SETTINGS, 1);
    await repository.close();
    assert.ok(!existsSync(dirname(directory)));
    await assert.rejects(repository.scan(SETTINGS.basePath), { code: 'SERVER_STOPPING' });
  });

  it('refuses a version whose objects change while they are copied', async () => {
    covers('repository.cloud-upload');
    const store = new MemoryStore(MODEL);
    store.during = () => void store.objects.set('zoo/model/1/m.json', Buffer.from('late'));
    await assert.rejects(repositoryOf(store).open(SETTINGS, 1), {
      code: 'S3_FAILED_GET_OBJECT',
      detail: 's3://bucket/zoo/model/1 changed while it was copied',
    });
    store.during = () => undefined;
    await (await repositoryOf(store).open(SETTINGS, 1)).release();
  });

  it('refuses an object that is shorter than it was listed', async () => {
    const store = new MemoryStore(MODEL);
    store.during = (key) => void store.objects.set(key, Buffer.from('x'));
    await assert.rejects(repositoryOf(store).open(SETTINGS, 1), {
      code: 'S3_FAILED_GET_OBJECT',
      detail: /: expected \d bytes as listed, received 1$/,
    });
  });

  it('downloads a bounded number of objects at once', async () => {
    covers('repository.cloud-copies');
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`zoo/model/1/${index}.txt`, 'text']));
    const store = new MemoryStore({ ...MODEL, ...many });
    const { promise: isFull, resolve: full } = gate();
    store.during = () => {
      if (store.running === STORAGE_LIMITS.downloads) full();
      return isFull;
    };
    await (await repositoryOf(store).open(SETTINGS, 1)).release();
    assert.equal(store.reads.length, 22);
    assert.equal(store.mostRunning, STORAGE_LIMITS.downloads);
  });

  it('downloads nothing of a version without a model', async () => {
    covers('repository.cloud-upload');
    const store = new MemoryStore({ 'zoo/model/1/m.xml': '<net/>', 'zoo/model/1/sub/m.onnx': 'deeper' });
    await assert.rejects(repositoryOf(store).open(SETTINGS, 1), { code: 'FILE_INVALID' });
    assert.deepEqual(store.reads, []);
  });

  for (const name of ['../escape', 'sub/../../escape', '/absolute', 'a//b', './here', 'back\\slash', 'nul\0']) {
    it(`writes no file called ${JSON.stringify(name)}`, async () => {
      covers('repository.cloud-faults');
      const store = new MemoryStore({ ...MODEL, [`zoo/model/1/${name}`]: 'outside' });
      await assert.rejects(repositoryOf(store).open(SETTINGS, 1), { code: 'S3_FILE_INVALID' });
      assert.deepEqual(store.reads, []);
    });
  }

  it('tries a version that could not be loaded again when it changed, and else less and less often', async () => {
    const store = new MemoryStore(MODEL);
    const repository = repositoryOf(store);
    const fault = new ServingError('MODEL_READ_FAILED');
    const tries: boolean[] = [];
    for (let look = 1; look <= 8; look++) {
      try {
        await (await repository.open(SETTINGS, 1)).release(fault);
        tries.push(true);
      } catch (error) {
        assert.equal(error, fault);
        tries.push(false);
      }
    }
    assert.deepEqual(tries, [true, true, false, true, false, false, false, true]);
    store.objects.set('zoo/model/1/m.xml', Buffer.from('<net></net>'));
    await (await repository.open(SETTINGS, 1)).release(fault);
    await (await repository.open({ ...SETTINGS, nireq: 2 }, 1)).release();
  });

  it('gives up a storage that does not answer', async () => {
    covers('repository.cloud-faults');
    const store = new MemoryStore(MODEL);
    const limits = { ...STORAGE_LIMITS, listing: 1 };
    store.listDirectories = (_, signal?: AbortSignal) => untilAborted(signal!);
    await assert.rejects(repositoryOf(store, limits).scan(SETTINGS.basePath), {
      code: 'S3_FAILED_LIST_OBJECTS',
      detail: 's3://bucket/zoo/model: no answer within 1 ms',
    });
  });

  it('gives up a download from which nothing comes', async () => {
    covers('repository.cloud-faults');
    const store = new MemoryStore(MODEL);
    store.read = () => Promise.resolve(new Readable({ read: () => undefined }));
    await assert.rejects(repositoryOf(store, { ...STORAGE_LIMITS, stall: 1 }).open(SETTINGS, 1), {
      code: 'S3_FAILED_GET_OBJECT',
      detail: /: no byte came for 1 ms$/,
    });
  });

  it('ends a download when it is closed', async () => {
    const store = new MemoryStore(MODEL);
    const asked = new Promise<void>((resolve) => {
      store.read = () => {
        resolve();
        return Promise.resolve(new Readable({ read: () => undefined }));
      };
    });
    const repository = repositoryOf(store);
    const opening = repository.open(SETTINGS, 1);
    await Promise.all([assert.rejects(opening, { code: 'SERVER_STOPPING' }), asked.then(() => repository.close())]);
  });

  it('says what to install when the package of the vendor is not there', async () => {
    covers('repository.cloud-packages');
    const absent = 'vinery-has-no-such-package';
    await assert.rejects(
      storagePackage('@vendor/storage', () => import(absent as string)),
      {
        code: 'STORAGE_PACKAGE_MISSING',
        message: 'Package of the cloud storage is not installed - install it: npm install @vendor/storage',
      },
    );
  });
});

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((open) => (resolve = open));
  return { promise, resolve };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
}
