import { COLOR_FORMATS, type ColorFormat } from '../tensors/color-format.js';
import { OPENVINO_ELEMENT_TYPE, type Precision } from '../tensors/precision.js';
import type { TargetSource } from './settings.js';
import { fault, parsed, type Parsed } from './shape-grammar.js';

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const EXPECTED_NUMBERS = 'a number, or one a channel: [a,b,c] or (a,b,c)';

/** `127.5`, `[123.7,116.3,103.5]` or `(...)`; spaces are ignored. One number counts for all channels (as OVMS 2026.2.1). */
export function parseChannelNumbers(text: string): Parsed<readonly number[]> {
  const compact = text.replaceAll(' ', '');
  const inner = /^\[(.*)\]$/s.exec(compact)?.[1] ?? /^\((.*)\)$/s.exec(compact)?.[1] ?? null;
  const numbers = inner === null ? [compact] : inner.split(',');
  const values = numbers.map((number) => (NUMBER.test(number) ? Math.fround(Number(number)) : NaN));
  return values.every((value) => Number.isFinite(value)) ? parsed(values) : fault(EXPECTED_NUMBERS, text);
}

/** As {@link parseChannelNumbers}; what is divided by is not 0. */
export function parseScale(text: string): Parsed<readonly number[]> {
  const numbers = parseChannelNumbers(text);
  return numbers.value?.includes(0) === true ? fault(`${EXPECTED_NUMBERS}, without 0`, text) : numbers;
}

const PLANAR = new Set<ColorFormat>(['NV12', 'NV12_2', 'I420', 'I420_3']);

/** `TARGET:SOURCE`, for example `RGB:BGR` where clients send BGR. Nothing is converted to a format of planes: OpenVINO cannot. */
export function parseColorFormat(text: string): Parsed<TargetSource<ColorFormat>> {
  const names = new Map(COLOR_FORMATS.map((format) => [format as string, format]));
  const value = targetSource(text.toUpperCase(), names);
  if (value !== null && !PLANAR.has(value.target)) return parsed(value);
  return fault(`TARGET:SOURCE with TARGET one of RGB, BGR, GRAY and SOURCE one of ${COLOR_FORMATS.join(', ')}`, text);
}

/** `fp32`, `uint8`, ... as OVMS 2026.2.1 spells them on the command line. */
const PRECISIONS = new Map(
  Object.entries(OPENVINO_ELEMENT_TYPE).flatMap(([precision, type]): [string, Precision][] => {
    const known = /^(b?f|i|u)(\d+)$/.exec(type);
    if (known === null) return [];
    const kind = { f: 'fp', bf: 'bf', i: 'int', u: 'uint' }[known[1]!]!;
    return [[`${kind}${known[2]}`, precision as Precision]];
  }),
);

/** `target:source`, for example `fp32:uint8` where clients send UINT8; capitals do not matter. */
export function parsePrecision(text: string): Parsed<TargetSource<Precision>> {
  const value = targetSource(text.toLowerCase(), PRECISIONS);
  return value === null
    ? fault(`target:source, each one of ${[...PRECISIONS.keys()].join(', ')}`, text)
    : parsed(value);
}

function targetSource<T extends string>(text: string, names: ReadonlyMap<string, T>): TargetSource<T> | null {
  const [target, source, ...more] = text
    .replaceAll(' ', '')
    .split(':')
    .map((name) => names.get(name));
  return target === undefined || source === undefined || more.length > 0 ? null : { target, source };
}
