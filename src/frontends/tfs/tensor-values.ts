import { WIRE } from '../protobuf/wire-reader.js';
import type { ValueLayout } from '../protobuf/value-field.js';

/** The typed fields of TensorProto, `float_val` and its like: `int_val` serves all small integers, `half_val` both 16-bit floats. */
export const TENSOR_PROTO_VALUES: ValueLayout = {
  elementWire: new Map([
    [5, WIRE.FIXED32],
    [6, WIRE.FIXED64],
    [7, WIRE.VARINT],
    [10, WIRE.VARINT],
    [11, WIRE.VARINT],
    [13, WIRE.VARINT],
    [16, WIRE.VARINT],
    [17, WIRE.VARINT],
  ]),
  fieldOfPrecision: {
    FP32: 5,
    FP64: 6,
    I32: 7,
    I16: 7,
    I8: 7,
    U16: 7,
    U8: 7,
    I64: 10,
    BOOL: 11,
    FP16: 13,
    BF16: 13,
    U32: 16,
    U64: 17,
  },
};
