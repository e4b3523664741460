import { renameSync, writeFileSync } from 'node:fs';
import { Session, type HeapProfiler } from 'node:inspector';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { nameOf, placeOf } from '../profile/call-frame.js';
import { FILE_VARIABLE, SAMPLE_VARIABLE, type ThreadAllocations } from './allocations.js';

/**
 * `--import`ed by a server, into each of its threads: SIGUSR2 begins to watch what its worker threads allocate, the next one ends it
 * and writes the answer to a file. A thread that is blocked all the time is none of those that serve; it does not answer, and nobody
 * waits for it.
 */
type Message =
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'began'; readonly thread: number }
  | { readonly kind: 'allocated'; readonly thread: number; readonly allocated: ThreadAllocations };

/** Bytes between two samples on average. */
const SAMPLING_INTERVAL = 8192;

const channel = new BroadcastChannel('vinery-benchmark-allocations');
channel.unref();
if (isMainThread) direct();
else follow();

function send(message: Message): void {
  channel.postMessage(message);
}

function onMessage(receive: (message: Message) => void): void {
  channel.onmessage = (event: unknown) => receive((event as { readonly data: Message }).data);
}

function direct(): void {
  const watched = new Set<number>();
  const answers: ThreadAllocations[] = [];
  let isWatching = false;
  process.on('SIGUSR2', () => {
    isWatching = !isWatching;
    send({ kind: isWatching ? 'begin' : 'end' });
  });
  onMessage((message) => {
    if (message.kind === 'began') watched.add(message.thread);
    if (message.kind !== 'allocated' || !watched.delete(message.thread)) return;
    answers.push(message.allocated);
    if (watched.size === 0) write(answers.splice(0));
  });
}

/** Whole or not at all: somebody waits for the file. */
function write(answers: readonly ThreadAllocations[]): void {
  const file = process.env[FILE_VARIABLE] ?? '';
  writeFileSync(`${file}.part`, JSON.stringify(answers));
  renameSync(`${file}.part`, file);
}

function follow(): void {
  let watch: Watch | null = null;
  onMessage(({ kind }) => {
    if (kind === 'begin') {
      watch = new Watch();
      send({ kind: 'began', thread: threadId });
    } else if (kind === 'end' && watch !== null) {
      void watch.end().then((allocated) => send({ kind: 'allocated', thread: threadId, allocated }));
      watch = null;
    }
  });
}

class Watch {
  readonly #collector = new GCProfiler();
  readonly #session = process.env[SAMPLE_VARIABLE] === undefined ? null : new Session();
  readonly #before = getHeapStatistics();

  constructor() {
    this.#collector.start();
    this.#session?.connect();
    this.#session?.post('HeapProfiler.startSampling', {
      samplingInterval: SAMPLING_INTERVAL,
      // The types do not know these yet; without them only what lives at the end is counted.
      ...{ includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true },
    });
  }

  async end(): Promise<ThreadAllocations> {
    const { statistics } = this.#collector.stop();
    const after = getHeapStatistics();
    let heapBytes = 0;
    let externalBytes = 0;
    let collectionMicros = 0;
    let heap = this.#before.used_heap_size;
    let external = this.#before.external_memory;
    const grown = (usedHeap: number, usedExternal: number): void => {
      heapBytes += usedHeap - heap;
      // Buffers may be freed without a collection: transferred ones.
      externalBytes += Math.max(0, usedExternal - external);
    };
    for (const { beforeGC, afterGC, cost } of statistics) {
      grown(beforeGC.heapStatistics.usedHeapSize, beforeGC.heapStatistics.externalMemory);
      heap = afterGC.heapStatistics.usedHeapSize;
      external = afterGC.heapStatistics.externalMemory;
      collectionMicros += cost;
    }
    grown(after.used_heap_size, after.external_memory);
    const sites = this.#session === null ? [] : allocationSites(await stopSampling(this.#session));
    return { heapBytes, externalBytes, collections: statistics.length, collectionMicros, sites };
  }
}

function stopSampling(session: Session): Promise<HeapProfiler.SamplingHeapProfile> {
  return new Promise((resolve, reject) => {
    session.post('HeapProfiler.stopSampling', (error, { profile }) => {
      session.disconnect();
      if (error === null) resolve(profile);
      else reject(error);
    });
  });
}

/** Same name and place together, largest first. */
function allocationSites({ head }: HeapProfiler.SamplingHeapProfile): ThreadAllocations['sites'] {
  const sites = new Map<string, ThreadAllocations['sites'][number]>();
  const visit = ({ callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode): void => {
    const name = nameOf(callFrame);
    const where = placeOf(callFrame);
    const key = `${name} ${where}`;
    if (selfSize > 0) sites.set(key, { name, where, bytes: selfSize + (sites.get(key)?.bytes ?? 0) });
    children.forEach(visit);
  };
  visit(head);
  return [...sites.values()].sort((a, b) => b.bytes - a.bytes);
}
