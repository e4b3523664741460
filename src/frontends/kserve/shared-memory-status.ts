import { ServingError } from '../../errors.js';
import type { SharedMemory, SharedMemoryRegion } from '../../tensors/shared-memory.js';
import { shortened } from '../../texts.js';

/** @throws ServingError SHARED_MEMORY_OFF */
export function offered(memory: SharedMemory | null): SharedMemory {
  if (memory === null) throw new ServingError('SHARED_MEMORY_OFF');
  return memory;
}

/**
 * What is registered: all regions, or, with a name, that one.
 * @throws ServingError SHARED_MEMORY_MISSING
 */
export function statusOf(memory: SharedMemory | null, name: string): readonly SharedMemoryRegion[] {
  const regions = memory?.list() ?? [];
  if (name === '') return regions;
  const found = regions.filter((region) => region.name === name);
  if (found.length > 0) return found;
  throw new ServingError('SHARED_MEMORY_MISSING', `Unable to find system shared memory region: '${shortened(name)}'`);
}
