/**
 * Element types of tensors, by the names OVMS prints in its errors and logs (as OVMS 2026.2.1).
 * Wire names (`DT_FLOAT`, `FP32` of KServe) live with the protocol that uses them.
 */
export type Precision =
  'FP64' | 'FP32' | 'FP16' | 'BF16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U64' | 'U32' | 'U16' | 'U8' | 'BOOL' | 'STRING';

/** Bytes of one element; 0 for STRING, whose elements have no fixed size. BOOL is one byte, as in OpenVINO. */
export const ELEMENT_BYTES: Readonly<Record<Precision, number>> = {
  FP64: 8,
  FP32: 4,
  FP16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  STRING: 0,
};

/** OpenVINO's own element type names, the spelling of the native boundary. */
export const OPENVINO_ELEMENT_TYPE: Readonly<Record<Precision, string>> = {
  FP64: 'f64',
  FP32: 'f32',
  FP16: 'f16',
  BF16: 'bf16',
  I64: 'i64',
  I32: 'i32',
  I16: 'i16',
  I8: 'i8',
  U64: 'u64',
  U32: 'u32',
  U16: 'u16',
  U8: 'u8',
  BOOL: 'boolean',
  STRING: 'string',
};

const BY_ELEMENT_TYPE = new Map(
  Object.entries(OPENVINO_ELEMENT_TYPE).map(([precision, name]) => [name, precision as Precision]),
);

/** The precision of an OpenVINO element type name, or `undefined` for types no client can send (`u4`, `nf4`, ...). */
export function precisionOfElementType(elementType: string): Precision | undefined {
  return BY_ELEMENT_TYPE.get(elementType);
}
