import { portBytes, staticShape } from '../inference/port-bytes.js';
import type { ModelDescription } from '../native/binding.js';
import { TrialRequest } from './trial-request.js';

/** The first one warms up; of the others the shortest counts, because others use the cores, too. */
const LEAST_INFERENCES = 5;
/** On a machine that is busy most inferences wait for a core, so one that is slow is tried again for so long, and no longer. */
const LONGEST_MILLISECONDS = 20;

/**
 * Microseconds of one inference of a compiled model on the calling thread, over zeros: shapes are all known, precisions have
 * elements of whole bytes. Infinite when an inference fails.
 *
 * @param wanted below this one need not look closer.
 */
export function measureInference(modelId: number, { inputs, outputs }: ModelDescription, wanted: number): number {
  const ports = [...inputs, ...outputs];
  const trial = new TrialRequest(modelId, inputs.length, ports.map(portBytes));
  const { slabId, byteOffsets } = trial;
  try {
    const places = ports.map((port, index) => ({ slabId, byteOffset: byteOffsets[index]!, shape: staticShape(port) }));
    if (!trial.bind(places)) return Infinity;
    let shortest = Infinity;
    const end = performance.now() + LONGEST_MILLISECONDS;
    for (let index = 0; index < LEAST_INFERENCES || shortest > wanted; index += 1) {
      const started = performance.now();
      if (!trial.infer()) return Infinity;
      const ended = performance.now();
      shortest = Math.min(shortest, (ended - started) * 1000);
      if (ended > end) break;
    }
    return shortest;
  } finally {
    trial.close();
  }
}
