import { BindingTable, type BoundTensor } from '../inference/binding-table.js';
import { portBytes, staticShape } from '../inference/port-bytes.js';
import type { ModelDescription } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import { REGION_ALIGNMENT } from '../tensors/arena.js';

/** The first one warms up; of the others the shortest counts, because others use the cores, too. */
const LEAST_INFERENCES = 5;
/** On a machine that is busy most inferences wait for a core, so one that is slow is tried again for so long, and no longer. */
const LONGEST_MILLISECONDS = 20;
const TOKEN = 0;

/**
 * Microseconds of one inference of a compiled model on the calling thread, over zeros: shapes are all known, precisions have
 * elements of whole bytes. Infinite when an inference fails.
 *
 * @param wanted below this one need not look closer.
 */
export function measureInference(modelId: number, { inputs, outputs }: ModelDescription, wanted: number): number {
  const binding = loadNativeBinding();
  const model = binding.openModel(modelId);
  const table = new BindingTable(inputs.length, outputs.length);
  const request = binding.createInferRequest(model, table.numbers);
  const ports = [...inputs, ...outputs];
  const sizes = ports.map((port) => Math.ceil(portBytes(port) / REGION_ALIGNMENT) * REGION_ALIGNMENT);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const slabId = binding.registerSlab(new Uint8Array(new SharedArrayBuffer(total)));
  let byteOffset = 0;
  const places = ports.map((port, index): BoundTensor => {
    const place = { slabId, byteOffset, shape: staticShape(port) };
    byteOffset += sizes[index]!;
    return place;
  });
  try {
    if (table.write(places.slice(0, inputs.length), places.slice(inputs.length)) !== null) return Infinity;
    let shortest = Infinity;
    const end = performance.now() + LONGEST_MILLISECONDS;
    for (let index = 0; index < LEAST_INFERENCES || shortest > wanted; index += 1) {
      const started = performance.now();
      if (binding.infer(request, TOKEN) !== 0) {
        binding.takeError(TOKEN);
        return Infinity;
      }
      const ended = performance.now();
      shortest = Math.min(shortest, (ended - started) * 1000);
      if (ended > end) break;
    }
    return shortest;
  } finally {
    binding.closeInferRequest(request);
    binding.unregisterSlab(slabId);
    binding.closeModel(model);
  }
}
