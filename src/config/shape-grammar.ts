import { ANY_DIMENSION, type Dimension, type PartialShape } from '../tensors/shape.js';
import { shown } from '../texts.js';
import type { BatchSize, ShapeParameter } from './settings.js';

/** A parsed text, or what was expected instead. */
export type Parsed<T> = { readonly value: T; readonly fault: null } | { readonly value: null; readonly fault: string };

export function parsed<T>(value: T): Parsed<T> {
  return { value, fault: null };
}

export function fault(expected: string, received: string): Parsed<never> {
  return { value: null, fault: `expected ${expected}, received ${shown(received)}` };
}

const EXPECTED_SHAPE = '"auto" or (d,d,...) with each d one of n, -1 (any), min:max';
const EXPECTED_BATCH = '"auto", n, -1 (any) or min:max';

/** `auto`, or `(1,3,200:500,-1)`; spaces are ignored, `()` is a scalar and one trailing comma is allowed (as OVMS 2026.2.1). */
export function parseShape(text: string): Parsed<ShapeParameter> {
  const compact = text.replaceAll(' ', '');
  if (compact === 'auto') return parsed('auto');
  const inner = /^\((.*)\)$/s.exec(compact)?.[1];
  if (inner === undefined) return fault(EXPECTED_SHAPE, text);
  if (inner === '') return parsed<PartialShape>([]);
  const dimensions = inner.replace(/,$/, '').split(',').map(parseDimension);
  return dimensions.every((dimension) => dimension !== null)
    ? parsed<PartialShape>(dimensions)
    : fault(EXPECTED_SHAPE, text);
}

/** `auto`, `8`, `-1` or `1:8`. 0 keeps the batch size of the model and reads as `null` (as OVMS 2026.2.1). */
export function parseBatchSize(text: string): Parsed<BatchSize | null> {
  const compact = text.replaceAll(' ', '');
  if (compact === 'auto') return parsed('auto');
  const dimension = parseDimension(compact);
  if (dimension === null) return fault(EXPECTED_BATCH, text);
  return parsed(dimension.max === 0 ? null : dimension);
}

function parseDimension(text: string): Dimension | null {
  if (text === '-1') return ANY_DIMENSION;
  const range = /^(\d+)(?::(\d+))?$/.exec(text);
  if (!range) return null;
  const min = Number(range[1]);
  const max = range[2] === undefined ? min : Number(range[2]);
  const ordered = range[2] === undefined || min < max;
  return ordered && Number.isSafeInteger(max) && Number.isSafeInteger(min) ? { min, max } : null;
}
