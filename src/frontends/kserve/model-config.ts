import type { ServableMetadata } from '../../servables/serving.js';
import type { Precision } from '../../tensors/precision.js';
import { metadataDimensions } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { MODEL_PLATFORM } from './server-messages.js';

/** What a servable has of Triton's model configuration; the names are those of its JSON. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  /** 0: dimensions are whole. */
  readonly max_batch_size: 0;
  readonly input: readonly ConfigTensor[];
  readonly output: readonly ConfigTensor[];
}

export interface ConfigTensor {
  readonly name: string;
  readonly data_type: keyof typeof CONFIG_TYPES;
  /** -1 for sizes that are not fixed. */
  readonly dims: readonly number[];
}

/** Triton's types with their numbers. */
export const CONFIG_TYPES = {
  TYPE_BOOL: 1,
  TYPE_UINT8: 2,
  TYPE_UINT16: 3,
  TYPE_UINT32: 4,
  TYPE_UINT64: 5,
  TYPE_INT8: 6,
  TYPE_INT16: 7,
  TYPE_INT32: 8,
  TYPE_INT64: 9,
  TYPE_FP16: 10,
  TYPE_FP32: 11,
  TYPE_FP64: 12,
  TYPE_STRING: 13,
  TYPE_BF16: 14,
} as const;

const TYPE_OF_PRECISION: Readonly<Record<Precision, keyof typeof CONFIG_TYPES>> = {
  BOOL: 'TYPE_BOOL',
  U8: 'TYPE_UINT8',
  U16: 'TYPE_UINT16',
  U32: 'TYPE_UINT32',
  U64: 'TYPE_UINT64',
  I8: 'TYPE_INT8',
  I16: 'TYPE_INT16',
  I32: 'TYPE_INT32',
  I64: 'TYPE_INT64',
  FP16: 'TYPE_FP16',
  FP32: 'TYPE_FP32',
  FP64: 'TYPE_FP64',
  STRING: 'TYPE_STRING',
  BF16: 'TYPE_BF16',
};

export function modelConfig({ name, inputs, outputs }: ServableMetadata): ModelConfig {
  return {
    name,
    platform: MODEL_PLATFORM,
    backend: 'openvino',
    max_batch_size: 0,
    input: inputs.map(configTensor),
    output: outputs.map(configTensor),
  };
}

function configTensor({ name, precision, shape }: TensorInfo): ConfigTensor {
  return { name, data_type: TYPE_OF_PRECISION[precision], dims: metadataDimensions(shape) };
}
