import type { ServableMetadata } from '../../../servables/serving.js';
import { metadataDimensions } from '../../../tensors/shape.js';
import type { TensorInfo } from '../../../tensors/tensor-info.js';
import { dataTypeOfPrecision } from '../../kserve/data-type.js';
import { MODEL_PLATFORM, SERVER_NAME } from '../../kserve/server-messages.js';

/** Answer of `GET /v2`. */
export function serverMetadataJson(version: string, extensions: readonly string[]): string {
  return JSON.stringify({ name: SERVER_NAME, version, extensions });
}

/** Answer of `GET /v2/models/{name}`: -1 for sizes that are not fixed; what the model says of itself, if it does, comes last. */
export function modelMetadataJson({ name, versions, inputs, outputs, modelInfo }: ServableMetadata): string {
  return JSON.stringify({
    name,
    versions: versions.map(String),
    platform: MODEL_PLATFORM,
    inputs: inputs.map(tensorMetadata),
    outputs: outputs.map(tensorMetadata),
    ...(modelInfo === null ? {} : { rt_info: { model_info: modelInfo } }),
  });
}

function tensorMetadata({ name, precision, shape }: TensorInfo): Record<string, unknown> {
  return { name, datatype: dataTypeOfPrecision(precision), shape: metadataDimensions(shape) };
}
