import { ServingError } from '../../errors.js';
import type { ResponseTensor } from '../../servables/predict-request.js';
import { ELEMENT_BYTES, type Precision } from '../../tensors/precision.js';
import { elementCount } from '../../tensors/shape.js';
import type { StringList } from '../../tensors/strings.js';
import { fromHalf } from '../../tensors/half.js';

/**
 * JSON texts of the elements of an output, in order. What JSON cannot say is said in the words of JavaScript, `NaN`, `Infinity` and
 * `-Infinity`, which Python and many other parsers read (as OVMS 2026.2.1).
 * @throws ServingError REST_UNSUPPORTED_PRECISION for BF16.
 */
export function elementTexts(output: ResponseTensor): string[] {
  return texts(output, shortestFloat32);
}

/**
 * As `elementTexts`, with the digits of a double for every float (as OVMS 2026.2.1 for KServe): 0.1 is 0.10000000149011612. Where a
 * float is not finite the reference leaves out the element there, and its answer is no JSON for anybody.
 */
export function doubleTexts(output: ResponseTensor): string[] {
  return texts(output, String);
}

function texts(output: ResponseTensor, floatText: FloatText): string[] {
  const print = PRINTERS[output.precision];
  if (print === undefined) {
    throw new ServingError(
      'REST_UNSUPPORTED_PRECISION',
      `Unsupported precision: ${output.precision}; output: ${output.name}`,
    );
  }
  return print(alignedBuffer(output), floatText);
}

/** Strings of UTF-8 as JSON strings. */
export function stringTexts(strings: StringList): string[] {
  const bytes = bufferOf(strings);
  return Array.from(strings.begins, (begin, index) =>
    JSON.stringify(bytes.toString('utf8', begin, begin + strings.lengths[index]!)),
  );
}

/** Strings of any bytes, as TensorFlow Serving says them. */
export function base64Texts(strings: StringList): string[] {
  const bytes = bufferOf(strings);
  return Array.from(
    strings.begins,
    (begin, index) => `{"b64": "${bytes.toString('base64', begin, begin + strings.lengths[index]!)}"}`,
  );
}

function bufferOf({ bytes: { buffer, byteOffset, byteLength } }: StringList): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

interface Elements {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly count: number;
}

type FloatText = (value: number) => string;
type Printer = (elements: Elements, floatText: FloatText) => string[];

const PRINTERS: Partial<Record<Precision, Printer>> = {
  FP64: ({ buffer, byteOffset, count }) => floats(new Float64Array(buffer, byteOffset, count), String),
  FP32: ({ buffer, byteOffset, count }, floatText) => floats(new Float32Array(buffer, byteOffset, count), floatText),
  FP16: ({ buffer, byteOffset, count }, floatText) =>
    floats(Float32Array.from(new Uint16Array(buffer, byteOffset, count), fromHalf), floatText),
  I64: ({ buffer, byteOffset, count }) => Array.from(new BigInt64Array(buffer, byteOffset, count), String),
  I32: ({ buffer, byteOffset, count }) => Array.from(new Int32Array(buffer, byteOffset, count), String),
  I16: ({ buffer, byteOffset, count }) => Array.from(new Int16Array(buffer, byteOffset, count), String),
  I8: ({ buffer, byteOffset, count }) => Array.from(new Int8Array(buffer, byteOffset, count), String),
  U64: ({ buffer, byteOffset, count }) => Array.from(new BigUint64Array(buffer, byteOffset, count), String),
  U32: ({ buffer, byteOffset, count }) => Array.from(new Uint32Array(buffer, byteOffset, count), String),
  U16: ({ buffer, byteOffset, count }) => Array.from(new Uint16Array(buffer, byteOffset, count), String),
  U8: ({ buffer, byteOffset, count }) => Array.from(new Uint8Array(buffer, byteOffset, count), String),
  BOOL: ({ buffer, byteOffset, count }) =>
    Array.from(new Uint8Array(buffer, byteOffset, count), (value) => (value === 0 ? 'false' : 'true')),
};

/** The output's bytes where a typed array can be laid over them, copied only when they start at an odd place. */
function alignedBuffer({ name, precision, shape, bytes }: ResponseTensor): Elements {
  const count = elementCount(shape);
  if (count === null || count * ELEMENT_BYTES[precision] !== bytes.byteLength) {
    throw new Error(`output ${name}: ${bytes.byteLength} bytes of ${precision} do not fill its shape`);
  }
  const { buffer, byteOffset } = byteOffsetFits(bytes, precision) ? bytes : new Uint8Array(bytes);
  return { buffer, byteOffset, count };
}

function byteOffsetFits(bytes: Uint8Array, precision: Precision): boolean {
  return bytes.byteOffset % ELEMENT_BYTES[precision] === 0;
}

function floats(values: Float32Array | Float64Array, print: FloatText): string[] {
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return String(value);
    return withDecimalPart(Object.is(value, -0) ? '-0' : print(value));
  });
}

/** Integers up to here print shorter as integers than any other way. */
const SHORT_INTEGER = 1e6;

/** Shortest decimal text that a float32 reader takes for the same value; nine digits always do. */
function shortestFloat32(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < SHORT_INTEGER) return String(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  // Most values need eight or nine digits, so the search starts there.
  let shortest = roundTo(8, value, exponent);
  if (Math.fround(shortest) !== value) {
    const nine = roundTo(9, value, exponent);
    return String(Math.fround(nine) === value ? nine : Number(value.toPrecision(9)));
  }
  for (let digits = 7; digits >= 1; digits -= 1) {
    const shorter = roundTo(digits, value, exponent);
    if (Math.fround(shorter) !== value) break;
    shortest = shorter;
  }
  return String(shortest);
}

/** Powers of ten that a double holds exactly, so that dividing by them rounds once, as reading the decimal text would. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));

/** The double nearest to `value` cut to so many significant digits, without making a text of it where that can be avoided. */
function roundTo(digits: number, value: number, exponent: number): number {
  const scale = POWERS_OF_TEN[digits - 1 - exponent];
  return scale === undefined ? Number(value.toPrecision(digits)) : Math.round(value * scale) / scale;
}

/** Readers tell floats from integers by the point (as OVMS 2026.2.1). */
function withDecimalPart(text: string): string {
  if (text.includes('.')) return text;
  const exponent = text.indexOf('e');
  return exponent < 0 ? `${text}.0` : `${text.slice(0, exponent)}.0${text.slice(exponent)}`;
}
