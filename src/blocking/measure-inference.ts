import { BindingTable, type BoundTensor } from '../inference/binding-table.js';
import { portBytes, staticShape } from '../inference/port-bytes.js';
import type { ModelDescription } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import { REGION_ALIGNMENT } from '../tensors/arena.js';

/** The first one warms up; of the others the shortest counts, because others use the cores, too. */
const INFERENCES = 5;
/** A model that takes longer even without warming up will not be inferred inline, and its load should not wait for more. */
const ENOUGH_MICROS = 20_000;
const TOKEN = 0;

/**
 * Microseconds of one inference of a compiled model on the calling thread, over zeros: shapes are all known, precisions have
 * elements of whole bytes. Infinite when an inference fails.
 */
export function measureInference(modelId: number, { inputs, outputs }: ModelDescription): number {
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
    for (let index = 0; index < INFERENCES; index += 1) {
      const started = performance.now();
      if (binding.infer(request, TOKEN) !== 0) {
        binding.takeError(TOKEN);
        return Infinity;
      }
      const micros = (performance.now() - started) * 1000;
      shortest = Math.min(shortest, micros);
      if (micros > ENOUGH_MICROS) break;
    }
    return shortest;
  } finally {
    binding.closeInferRequest(request);
    binding.unregisterSlab(slabId);
    binding.closeModel(model);
  }
}
