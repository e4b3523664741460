import type { Precision } from '../../tensors/precision.js';

/** One element type of the TensorFlow wire. */
export interface DataType {
  /** Number of the enum `tensorflow.DataType`. */
  readonly number: number;
  /** Name of the enum, for example `DT_FLOAT`. */
  readonly name: string;
  readonly precision: Precision;
  /** What errors about a request of this type print (as OVMS 2026.2.1, which has no word for bfloat16). */
  readonly requestText: string;
}

const INVALID_TEXT = 'INVALID';

/** The element types servables can have, by the numbers of `tensorflow/core/framework/types.proto`. */
export const DATA_TYPES: readonly DataType[] = [
  dataType(1, 'DT_FLOAT', 'FP32'),
  dataType(2, 'DT_DOUBLE', 'FP64'),
  dataType(3, 'DT_INT32', 'I32'),
  dataType(4, 'DT_UINT8', 'U8'),
  dataType(5, 'DT_INT16', 'I16'),
  dataType(6, 'DT_INT8', 'I8'),
  dataType(7, 'DT_STRING', 'STRING'),
  dataType(9, 'DT_INT64', 'I64'),
  dataType(10, 'DT_BOOL', 'BOOL'),
  dataType(14, 'DT_BFLOAT16', 'BF16', INVALID_TEXT),
  dataType(17, 'DT_UINT16', 'U16'),
  dataType(19, 'DT_HALF', 'FP16'),
  dataType(22, 'DT_UINT32', 'U32'),
  dataType(23, 'DT_UINT64', 'U64'),
];

function dataType(number: number, name: string, precision: Precision, requestText: string = precision): DataType {
  return { number, name, precision, requestText };
}

const BY_NUMBER = new Map(DATA_TYPES.map((type) => [type.number, type]));
const BY_PRECISION = new Map(DATA_TYPES.map((type) => [type.precision, type]));

/** The element type of a wire number, or `null` for those no servable has (`DT_COMPLEX64`, `DT_QINT8`, ...). */
export function dataTypeOfNumber(number: number): DataType | null {
  return BY_NUMBER.get(number) ?? null;
}

export function dataTypeOfPrecision(precision: Precision): DataType {
  const type = BY_PRECISION.get(precision);
  if (type === undefined) throw new Error(`no tensorflow.DataType for precision ${precision}`);
  return type;
}

/** The precision text of a request: `FP32`, or `INVALID` for types without one (as OVMS 2026.2.1). */
export function requestText(type: DataType | null): string {
  return type === null ? INVALID_TEXT : type.requestText;
}
