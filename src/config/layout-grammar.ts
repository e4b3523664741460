import { fault, parsed, type Parsed } from './shape-grammar.js';
import type { LayoutParameter } from './settings.js';

const LONGEST = 64;
const EXPECTED = 'letters N C H W D, ? and at most one ..., as "NCHW" or "NHWC:NCHW"';

/** One layout, or `tensor:model` which adds a transpose; lower case is read as upper case (as OVMS 2026.2.1). */
export function parseLayout(text: string): Parsed<LayoutParameter> {
  const sides = text.toUpperCase().split(':');
  if (sides.length > 2 || !sides.every(isLayout)) return fault(EXPECTED, text);
  const [first = '', second] = sides;
  return parsed(second === undefined ? { tensor: null, model: first } : { tensor: first, model: second });
}

function isLayout(text: string): boolean {
  if (text.length > LONGEST || !/^[NCHWD?]*(\.\.\.)?[NCHWD?]*$/.test(text) || text === '') return false;
  // A named dimension stands once; OpenVINO refuses the second only when the model is compiled.
  const letters = text.replace(/[?.]/g, '');
  return new Set(letters).size === letters.length;
}
