import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { StoredObject } from './object-store.js';

/**
 * Whether a name stays inside the directory it is put into. Storages allow any text as a key.
 */
export function isInside(name: string): boolean {
  return (
    !name.includes('\0') && !name.includes('\\') && name.split('/').every((part) => !['', '.', '..'].includes(part))
  );
}

/**
 * Directories have no place in most storages, but some tools leave an empty object where one is: `a/`, or `a` beside `a/b`. Those
 * are left out.
 */
export function withoutMarkers(objects: readonly StoredObject[]): StoredObject[] {
  const parents = new Set<string>();
  for (const { name } of objects) {
    for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1)) parents.add(name.slice(0, end));
  }
  return objects.filter(({ name, size }) => !name.endsWith('/') && name !== '' && !(size === 0 && parents.has(name)));
}

/** Whether two listings show the same objects with the same content, in whatever order. */
export function isSameListing(one: readonly StoredObject[], other: readonly StoredObject[]): boolean {
  const text = (objects: readonly StoredObject[]): string =>
    JSON.stringify(objects.map(({ name, size, tag }) => [name, size, tag]).sort());
  return text(one) === text(other);
}

/**
 * Streams one object into a file.
 *
 * @param stallMs gives up when that long no byte has come.
 * @returns the bytes that came.
 */
export async function copyObject(
  open: (signal: AbortSignal) => Promise<Readable>,
  directory: string,
  { name }: StoredObject,
  stallMs: number,
  stopped: AbortSignal,
): Promise<number> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`no byte came for ${stallMs} ms`)), stallMs);
  const signal = AbortSignal.any([stopped, stalled.signal]);
  let bytes = 0;
  try {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    const source = await open(signal);
    const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        timer.refresh();
        bytes += chunk.length;
        yield chunk;
      }
    };
    await pipeline(source, counted, createWriteStream(path), { signal });
    return bytes;
  } catch (error) {
    // The stream says only that it was aborted, the signal why.
    throw signal.aborted ? signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}
