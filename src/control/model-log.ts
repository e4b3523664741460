import type { PortDescription } from '../native/binding.js';
import { log } from '../observability/logger.js';
import type { ServingModel } from '../servables/snapshot.js';
import { formatPartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** What OVMS 2026.2.1 prints of a version that was loaded. */
export function logLoaded(name: string, version: number, { reference, inputs, outputs, nireq }: ServingModel): void {
  const { description } = reference;
  inputs.forEach((input, port) => log.modelmanager.info(`Input name: ${describe(input, description.inputs[port]!)}`));
  outputs.forEach((output, port) =>
    log.modelmanager.info(`Output name: ${describe(output, description.outputs[port]!)}`),
  );
  const batch = inputs[0]?.shape[0];
  log.modelmanager.info(
    `Loaded model ${name}; version: ${version}; batch size: ${batch === undefined ? 1 : formatPartialShape([batch]).slice(1, -1)}; No of InferRequests: ${nireq}`,
  );
}

function describe({ name, shape, precision, layout }: TensorInfo, { names }: PortDescription): string {
  return `${names[0] ?? name}; mapping_name: ${name}; shape: ${formatPartialShape(shape)}; precision: ${precision}; layout: ${layout}`;
}
