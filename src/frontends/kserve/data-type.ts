import type { Precision } from '../../tensors/precision.js';

/** The element types by KServe's names. */
const DATA_TYPES: Readonly<Record<Precision, string>> = {
  FP64: 'FP64',
  FP32: 'FP32',
  FP16: 'FP16',
  BF16: 'BF16',
  I64: 'INT64',
  I32: 'INT32',
  I16: 'INT16',
  I8: 'INT8',
  U64: 'UINT64',
  U32: 'UINT32',
  U16: 'UINT16',
  U8: 'UINT8',
  BOOL: 'BOOL',
  STRING: 'BYTES',
};

const BY_NAME = new Map(Object.entries(DATA_TYPES).map(([precision, name]) => [name, precision as Precision]));

export function dataTypeOfPrecision(precision: Precision): string {
  return DATA_TYPES[precision];
}

/** `null` for names that are no type. BF16, which OVMS 2026.2.1 does not know, is one for models of it. */
export function precisionOfDataType(name: string): Precision | null {
  return BY_NAME.get(name) ?? null;
}
