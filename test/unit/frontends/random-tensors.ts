import fc from 'fast-check';
import type { ResponseTensor } from '#src/servables/predict-request.js';
import { fromHalf } from '#src/tensors/half.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';
import { PASSTHROUGH_PRECISIONS, type PassthroughPrecision } from '../../conformance/passthrough-model.js';

interface Options {
  /** Ranks, the least and the most. */
  readonly ranks?: readonly [number, number];
  /** The least size of a dimension. */
  readonly leastSize?: number;
  /** Only what JSON can say: no NaN, no infinity. */
  readonly finite?: boolean;
  readonly precisions?: readonly PassthroughPrecision[];
}

/** One to three tensors `t0`, `t1`, ... of random precisions, shapes and bits. */
export function tensors(options: Options = {}): fc.Arbitrary<ResponseTensor[]> {
  return fc
    .array(tensor(options), { minLength: 1, maxLength: 3 })
    .map((found) => found.map((each, index) => ({ ...each, name: `t${index}` })));
}

function tensor({
  ranks = [0, 4],
  leastSize = 0,
  finite = false,
  precisions = PASSTHROUGH_PRECISIONS,
}: Options): fc.Arbitrary<ResponseTensor> {
  const [minLength, maxLength] = ranks;
  const sizes = fc.array(fc.integer({ min: leastSize, max: 4 }), { minLength, maxLength });
  return fc.tuple(fc.constantFrom(...precisions), sizes).chain(([precision, shape]) => {
    const size = shape.reduce((product, dimension) => product * dimension, 1) * ELEMENT_BYTES[precision];
    return fc
      .uint8Array({ minLength: size, maxLength: size })
      .map((bytes) => ({ name: 't', precision, shape, bytes: sayable(precision, bytes, finite) }));
  });
}

/** Bits that no element of the precision has are replaced, in place. */
function sayable(precision: PassthroughPrecision, bytes: Uint8Array, finite: boolean): Uint8Array {
  if (precision === 'BOOL') bytes.forEach((value, at) => (bytes[at] = value & 1));
  if (!finite) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += ELEMENT_BYTES[precision]) {
    if (precision === 'FP64' && !Number.isFinite(view.getFloat64(at, true))) view.setFloat64(at, -0, true);
    if (precision === 'FP32' && !Number.isFinite(view.getFloat32(at, true))) view.setFloat32(at, -0, true);
    if (precision === 'FP16' && !Number.isFinite(fromHalf(view.getUint16(at, true)))) view.setUint16(at, 0x8000, true);
  }
  return bytes;
}
