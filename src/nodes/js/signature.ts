import type { Dimension } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { isNumeric, NUMERIC_PRECISIONS } from '../../tensors/elements.js';
import { ModuleFault, show } from './module-fault.js';

/** What OpenVINO knows of an input without a layout (as OVMS 2026.2.1). */
const LAYOUT_OF_NOTHING = 'N...';
const LAYOUT = /^[NCHWD?]*(\.\.\.)?[NCHWD?]*$/;

/**
 * What `inputs()` or `outputs()` of a module returned, checked.
 *
 * @param where the function, for messages.
 * @throws ModuleFault that names the declaration, what was expected and what was received
 */
export function parseDeclarations(value: unknown, where: 'inputs' | 'outputs'): TensorInfo[] {
  if (!Array.isArray(value)) throw new ModuleFault(`${where}(): expected a list of tensors, received ${show(value)}`);
  const infos = value.map((declaration: unknown, index) => parseDeclaration(declaration, `${where}()[${index}]`));
  const names = infos.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ModuleFault(`${where}(): expected each name once, received ${show(twice)} twice`);
  }
  return infos;
}

function parseDeclaration(value: unknown, where: string): TensorInfo {
  if (typeof value !== 'object' || value === null) throw wrong(where, '{ name, precision, shape }', value);
  const { name, precision, shape, layout } = value as Record<string, unknown>;
  if (typeof name !== 'string' || name === '') throw wrong(`${where}.name`, 'a name', name);
  const named = `${where} ${show(name)}`;
  if (!isNumeric(precision)) throw wrong(`${named} precision`, `one of ${NUMERIC_PRECISIONS.join(', ')}`, precision);
  if (!Array.isArray(shape)) throw wrong(`${named} shape`, 'a list of dimensions', shape);
  const dimensions = shape.map((size: unknown, axis) => parseDimension(size, `${named} shape[${axis}]`));
  return { name, precision, shape: dimensions, layout: parseLayout(layout, shape.length, `${named} layout`) };
}

function parseDimension(value: unknown, where: string): Dimension {
  const [min, max, ...rest] = Array.isArray(value) ? (value as unknown[]) : value === -1 ? [0, -1] : [value, value];
  if (rest.length > 0 || !isSize(min) || !(max === -1 || isSize(max))) {
    throw wrong(where, 'a size, -1 for any, or [min, max]', value);
  }
  const dimension = { min, max: max === -1 ? Infinity : max };
  if (dimension.min > dimension.max) throw wrong(where, 'a minimum that is not above the maximum', value);
  return dimension;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseLayout(value: unknown, rank: number, where: string): string {
  if (value === undefined) return LAYOUT_OF_NOTHING;
  const expected = 'letters N C H W D, ? and at most one ...';
  if (typeof value !== 'string' || value === '' || !LAYOUT.test(value)) throw wrong(where, expected, value);
  const letters = value.replace('...', '').length;
  if (letters > rank || (letters < rank && !value.includes('...'))) {
    throw wrong(where, `a layout of ${rank} dimensions`, value);
  }
  return value;
}

function wrong(where: string, expected: string, received: unknown): ModuleFault {
  return new ModuleFault(`${where}: expected ${expected}, received ${show(received)}`);
}
