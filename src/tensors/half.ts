const LARGEST_HALF_BELOW_INFINITY = 65520;
const SMALLEST_EXPONENT = -14;
const FRACTION_BITS = 10;
const NAN = 0x7e00;
/** Adding and subtracting this rounds a small positive double to the nearest integer, ties to even. */
const ROUNDING = 2 ** 52;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
/** Word of a double that holds sign and exponent. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

/** The IEEE half nearest to a number, ties to even, rounded once; infinity beyond 65504, and a quiet NaN for NaN. */
export function toHalf(value: number): number {
  double[0] = value;
  const high = words[HIGH] ?? 0;
  const sign = (high >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (!(magnitude < LARGEST_HALF_BELOW_INFINITY)) return Number.isNaN(value) ? NAN : sign | 0x7c00;
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, SMALLEST_EXPONENT);
  const significand = magnitude * 2 ** (FRACTION_BITS - exponent) + ROUNDING - ROUNDING;
  // The significand's hidden bit adds itself to the exponent field, and so does a carry out of the rounding.
  return sign | (((exponent - SMALLEST_EXPONENT) << FRACTION_BITS) + significand);
}

/** The number a half stands for, infinities and NaN included. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> FRACTION_BITS) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (SMALLEST_EXPONENT - FRACTION_BITS);
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The bfloat16 nearest to a number, ties to even. */
export function toBrainFloat(value: number): number {
  single[0] = value;
  const pattern = bits[0]!;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((pattern + 0x7fff + ((pattern >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The number a bfloat16 stands for. */
export function fromBrainFloat(pattern: number): number {
  bits[0] = pattern << 16;
  return single[0]!;
}
