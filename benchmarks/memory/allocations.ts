import { Type, type Static } from '@sinclair/typebox';

/** What the threads of a server allocated between two moments; `preload.ts` writes it. */
export const AllocationsSchema = Type.Array(
  Type.Object({
    /** Bytes of V8's heap that were allocated: exact, from what was in use before and after each collection. */
    heapBytes: Type.Number(),
    /** Bytes outside of the heap that its objects hold, in the same way: buffers. */
    externalBytes: Type.Number(),
    collections: Type.Integer(),
    collectionMicros: Type.Number(),
    /** Sampled, by function; empty when nothing was sampled. */
    sites: Type.Array(Type.Object({ name: Type.String(), where: Type.String(), bytes: Type.Number() })),
  }),
);
export type ThreadAllocations = Static<typeof AllocationsSchema>[number];

/** Names in the environment of a server that is watched. */
export const FILE_VARIABLE = 'VINERY_BENCH_ALLOCATIONS_FILE';
export const SAMPLE_VARIABLE = 'VINERY_BENCH_ALLOCATIONS_SAMPLE';
