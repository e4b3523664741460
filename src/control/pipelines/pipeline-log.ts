import type { GraphPort, PipelineGraph } from '../../dag/graph.js';
import { log } from '../../observability/logger.js';
import { formatPartialShape } from '../../tensors/shape.js';

/** What OVMS 2026.2.1 prints of a pipeline that passed validation. */
export function logSignature({ name, inputs, outputs }: PipelineGraph): void {
  log.modelmanager.info(`Pipeline: ${name} inputs: ${inputs.map(describe).join('')}`);
  log.modelmanager.info(`Pipeline: ${name} outputs: ${outputs.map(describe).join('')}`);
}

function describe({ info: { name, shape, precision, layout } }: GraphPort): string {
  return `\nname: ${name}; mapping: ; shape: ${formatPartialShape(shape)}; precision: ${precision}; layout: ${layout}`;
}
