import type { ServableSignature } from '../../servables/serving.js';
import { metadataDimensions } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { dataTypeOfPrecision } from '../tfs/data-type.js';

/**
 * Answer of `GET /v1/models/{name}/metadata`: the GetModelMetadata response in protobuf's JSON, default values printed, one space
 * of indentation and a line end behind (as OVMS 2026.2.1).
 */
export function encodeMetadata({ name, version, inputs, outputs }: ServableSignature): string {
  const response = {
    modelSpec: { name, signatureName: '', version: String(version) },
    metadata: {
      signature_def: {
        '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
        signatureDef: {
          serving_default: { inputs: tensors(inputs), outputs: tensors(outputs), methodName: '', defaults: {} },
        },
      },
    },
  };
  return `${JSON.stringify(response, null, 1)}\n`;
}

function tensors(infos: readonly TensorInfo[]): Record<string, unknown> {
  return Object.fromEntries(
    infos.map(({ name, precision, shape }) => {
      const dim = metadataDimensions(shape).map((size) => ({ size: String(size), name: '' }));
      return [name, { dtype: dataTypeOfPrecision(precision).name, tensorShape: { dim, unknownRank: false }, name }];
    }),
  );
}
