import { setFlagsFromString } from 'node:v8';

import type { OwnerTask } from '../data-plane/messages.js';

/** V8's own upper bound: what the space for young objects grows to under load. */
const YOUNG_MEGABYTES = 16;
/** Pictures of 602 KB that grpc-js receives before the heap is marked: some 100. */
const OLD_MEGABYTES = 128;

/**
 * How V8 treats the heaps of threads that start from here on. The flags are the process's, so this is for a process that is the server
 * and nothing else.
 *
 * Young objects have all their space from the beginning; else memory in use goes up in steps for minutes, as if something leaked.
 * grpc-js receives into buffers outside of the heap, which count as if they were in it, so that V8 marked a heap of 10 MB with every
 * ninth picture: 2 to 3 ms of CPU a picture, now a tenth of it (measured).
 */
export function prepareWorkerHeaps(transport: OwnerTask['grpcTransport']): void {
  setFlagsFromString(`--min-semi-space-size=${YOUNG_MEGABYTES}`);
  if (transport === 'js') setFlagsFromString(`--initial-old-space-size=${OLD_MEGABYTES}`);
}
