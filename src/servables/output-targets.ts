import { ServingError } from '../errors.js';
import type { Lease } from '../tensors/arena.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { runtimePort } from './node-unit.js';
import type { Plan } from './plan.js';
import type { OutputTargets } from './run-context.js';
import { hasTextRows } from './strings/output-strings.js';

/**
 * Finds which outputs of a servable can be written where the client wants them, without a copy: those of a node that runs once, whose
 * size is known, and which nobody else reads, because a client may change its memory at any moment.
 *
 * @param outputs memory of the caller's by name of the output, leased for as long as the request lasts.
 * @throws ServingError SHARED_MEMORY_TOO_SMALL for any output whose size is known
 */
export function outputTargets(plan: Plan, outputs: ReadonlyMap<string, Lease>): OutputTargets {
  const targets = new Map<number, Map<number, Lease>>();
  const { graph, nodes } = plan;
  for (const { info, value } of graph.outputs) {
    const lease = outputs.get(info.name);
    const { staticShape, staticBytes } = runtimePort(info);
    if (lease === undefined || staticShape === null || hasTextRows(info)) continue;
    if (staticBytes > lease.byteLength) throw outputTooLarge(info.name, staticBytes, lease.byteLength);
    if (graph.values[value]!.uses > 1 || lease.byteOffset % ELEMENT_BYTES[info.precision] !== 0) continue;
    const node = graph.nodes.find((each) => each.outputs.some((output) => output.value === value));
    if (node === undefined || node.level !== 0 || node.opens !== null) continue;
    const planned = nodes[node.index];
    const port = planned?.portOfOutput[node.outputs.findIndex((output) => output.value === value)];
    if (planned == null || port === undefined || planned.unit.outputs[port]!.staticBytes !== staticBytes) continue;
    const ports = targets.get(node.index) ?? new Map<number, Lease>();
    targets.set(node.index, ports.set(port, lease));
  }
  return targets;
}

/** An output does not fit where the client wants it. */
export function outputTooLarge(name: string, expected: number, actual: number): ServingError {
  return new ServingError(
    'SHARED_MEMORY_TOO_SMALL',
    `shared memory size specified with the request for output '${name}' (${actual} bytes) should be at least ${expected} bytes to hold the results`,
  );
}
