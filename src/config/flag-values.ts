import { parseArgs } from 'node:util';
import { ALL_FLAGS, type FlagName, type FlagType, type FlagValues } from './flags.js';
import { shortened } from '../texts.js';

/** Values of a type, as a number of them. */
const RANGE = { uint32: 2n ** 32n, uint64: 2n ** 64n } as const;

export interface ReadArguments {
  readonly values: FlagValues;
  /** Names in the order given, repeated ones once. */
  readonly given: readonly FlagName[];
  /** Unknown flags and stray words, in order, as written. */
  readonly unmatched: readonly string[];
  /** Text of the first value that does not fit, or `null`. */
  readonly badValue: string | null;
}

const PARSE_OPTIONS = Object.fromEntries(
  Object.entries(ALL_FLAGS).map(([name, { type }]) => [
    name,
    {
      type: type === 'boolean' ? ('boolean' as const) : ('string' as const),
      ...(name === 'help' ? { short: 'h' } : {}),
    },
  ]),
);

/**
 * Splits an argument vector as OVMS 2026.2.1 does: `--name value`, `--name=value`, bare booleans (a value only by `=`), the last
 * of repeated flags wins, everything unknown is collected in order.
 *
 * node:util's tokens and not commander: the texts OVMS prints need all unknown flags and stray words together in the order
 * they were written, booleans must leave the next word alone and every other flag must take it; commander stops at its own first
 * error, in its own words, and keeps unknown flags and stray words apart.
 */
export function readArguments(argv: readonly string[]): ReadArguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options: PARSE_OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, string | number | boolean> = {};
  const unmatched: string[] = [];
  let badValue: string | null = null;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      unmatched.push(token.value);
    } else if (!isFlag(token.name)) {
      unmatched.push(token.inlineValue === true ? `${token.rawName}=${token.value}` : token.rawName);
    } else {
      const value = readValue(token.name, ALL_FLAGS[token.name].type, token.value);
      if ('fault' in value) badValue ??= value.fault;
      else values[token.name] = value.value;
    }
  }
  return { values, given: Object.keys(values) as FlagName[], unmatched, badValue };
}

function isFlag(name: string): name is FlagName {
  return Object.hasOwn(ALL_FLAGS, name);
}

type ReadValue = { readonly value: string | number | boolean } | { readonly fault: string };

function readValue(name: FlagName, type: FlagType, text: string | undefined): ReadValue {
  if (type === 'boolean') return readBoolean(text ?? 'true');
  if (text === undefined) return { fault: `Option ‘${name}’ is missing an argument` };
  if (type === 'string') return { value: text };
  return readUnsigned(text, RANGE[type]);
}

function readBoolean(text: string): ReadValue {
  if (/^(t|T)(rue)?$|^1$/.test(text)) return { value: true };
  if (/^(f|F)(alse)?$|^0$/.test(text)) return { value: false };
  return { fault: `Argument ‘${shortened(text)}’ failed to parse` };
}

/**
 * Decimal or 0x hexadecimal. Too many digits are seen as OVMS 2026.2.1 sees them, digit by digit: what wraps round to less than before
 * does not fit, and what wraps round to more is taken for a number, of which later checks say that it is out of range.
 */
function readUnsigned(text: string, range: bigint): ReadValue {
  const [, hexadecimal, decimal] = /^(?:0x([\da-fA-F]+)|(\d+))$/.exec(text) ?? [];
  const base = hexadecimal === undefined ? 10n : 16n;
  let number = 0n;
  for (const digit of hexadecimal ?? decimal ?? '-') {
    const next = digit === '-' ? -1n : (number * base + BigInt(`0x${digit}`)) % range;
    if (next < number) return { fault: `Argument ‘${shortened(text)}’ failed to parse` };
    number = next;
  }
  return { value: Number(number) };
}
