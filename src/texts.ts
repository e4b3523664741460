/** Characters that an error or a log line repeats of a text that a client has sent. */
const LONGEST_QUOTE = 128;
/** Sizes that an error or a log line repeats of a shape. */
const MOST_SIZES = 32;
/** What a message may take in the header `grpc-message`; nginx has 4 KiB for all headers of an answer, grpcio 8 KiB. */
export const LONGEST_MESSAGE = 2_000;
/** Characters of one log entry. */
const LONGEST_ENTRY = 16 * 1024;
/** What a mark of {@link withoutMiddle} takes at most, in characters or in a header. */
const MARK = 64;

/**
 * A text of a client, as errors and log lines repeat it: whole up to 128 characters, then `<128 characters>… (70000 characters)`.
 * Characters are UTF-16 code units.
 */
export function shortened(text: string): string {
  if (text.length <= LONGEST_QUOTE) return text;
  return `${text.slice(0, wholeEnd(text, LONGEST_QUOTE))}… (${text.length} characters)`;
}

/** A value of a client as errors show it: JSON where there is some, shortened; never throws. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint' || typeof value === 'number') return shortened(String(value));
  if (typeof value === 'string') return value.length > LONGEST_QUOTE ? shownLong(value) : JSON.stringify(value);
  try {
    return shortened(JSON.stringify(value));
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}

/** A long text in quotes, with its own length and not that of its JSON. */
function shownLong(text: string): string {
  return `${JSON.stringify(text.slice(0, wholeEnd(text, LONGEST_QUOTE)))}… (${text.length} characters)`;
}

/** Sizes of a shape, one after another; of more than 32 the first and their number: `1,2,3,… 9000 dimensions`. */
export function sizesText<T>(sizes: readonly T[], textOf: (size: T) => string = String): string {
  if (sizes.length <= MOST_SIZES) return sizes.map(textOf).join(',');
  return `${sizes.slice(0, MOST_SIZES).map(textOf).join(',')},… ${sizes.length} dimensions`;
}

/**
 * A message that fits into the header of any peer, whatever was put into it: at most {@link LONGEST_MESSAGE} bytes as `grpc-message`
 * carries it, where a byte beyond printable ASCII takes three. A longer one loses its middle, which its mark tells.
 * No pair of surrogates is cut, one that is alone is replaced, and what was bounded stays as it is.
 */
export function boundedMessage(text: string): string {
  // A UTF-16 code unit is at most three bytes of UTF-8.
  if (text.length * MOST_OF_A_UNIT <= LONGEST_MESSAGE || headEnd(text, LONGEST_MESSAGE) === text.length)
    return wellFormed(text);
  const room = LONGEST_MESSAGE - MARK;
  return wellFormed(withoutMiddle(text, headEnd(text, room * HEAD_SHARE), tailBegin(text, room * (1 - HEAD_SHARE))));
}

/** With U+FFFD for surrogates that are alone: UTF-8 cannot say them, and `encodeURI`, by which grpc-js writes statuses, throws. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A log entry of at most 16,384 characters; a longer one loses its middle, which its mark tells. */
export function boundedEntry(text: string): string {
  if (text.length <= LONGEST_ENTRY) return text;
  const room = LONGEST_ENTRY - MARK;
  return withoutMiddle(text, Math.floor(room * HEAD_SHARE), text.length - Math.floor(room * (1 - HEAD_SHARE)));
}

/** OpenVINO says at the end of a long text what is wrong, everything else at its beginning. */
const HEAD_SHARE = 0.7;
const MOST_OF_A_UNIT = 9;

function withoutMiddle(text: string, head: number, tail: number): string {
  return `${text.slice(0, wholeEnd(text, head))} … (${text.length} characters) … ${text.slice(wholeBegin(text, tail))}`;
}

/** Where the longest beginning ends that takes at most `room` bytes of a header. */
function headEnd(text: string, room: number): number {
  let left = room;
  for (let at = 0; at < text.length; at += 1) {
    left -= headerBytes(text.charCodeAt(at));
    if (left < 0) return at;
  }
  return text.length;
}

/** Where the longest end begins that takes at most `room` bytes of a header. */
function tailBegin(text: string, room: number): number {
  let left = room;
  for (let at = text.length; at > 0; at -= 1) {
    left -= headerBytes(text.charCodeAt(at - 1));
    if (left < 0) return at;
  }
  return 0;
}

/** Bytes that a code unit takes at most in a percent-encoded header. */
function headerBytes(unit: number): number {
  if (unit >= 0x20 && unit <= 0x7e && unit !== 0x25) return 1;
  if (unit < 0x80) return 3;
  return unit < 0x800 ? 6 : MOST_OF_A_UNIT;
}

/** `end`, or one before it where a pair of surrogates would be cut. */
function wholeEnd(text: string, end: number): number {
  return isPairAt(text, end) ? end - 1 : end;
}

/** `begin`, or one after it where a pair of surrogates would be cut. */
function wholeBegin(text: string, begin: number): number {
  return isPairAt(text, begin) ? begin + 1 : begin;
}

/** Whether a pair of surrogates lies around a place. */
function isPairAt(text: string, at: number): boolean {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return isHigh && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
