import { ServingError } from '../../errors.js';
import type { ResponseTensor } from '../../servables/predict-request.js';
import type { Shape } from '../../tensors/shape.js';
import { outputStrings } from '../../servables/strings/output-strings.js';
import { base64Texts, elementTexts, stringTexts } from './number-text.js';
import type { PredictOrder } from './predict-json.js';

const INDENT = '    ';

/**
 * JSON text of a predict response, white space included (as OVMS 2026.2.1): row order keeps each tensor on one line, column order
 * gives every element its own.
 * @param outputs only read; the text does not refer to them.
 * @param declared outputs of the servable, those that are missing now among them: with more than one each has its name beside it.
 * @throws ServingError REST_SERIALIZE_FAILED without outputs and for outputs of different batch sizes in row order;
 *   REST_UNSUPPORTED_PRECISION for BF16.
 */
export function encodePredictResponse(
  order: PredictOrder,
  outputs: readonly ResponseTensor[],
  declared = outputs.length,
): string {
  if (declared === 0) throw new ServingError('REST_SERIALIZE_FAILED', 'No outputs');
  const tensors = outputs.map(printElements);
  const isNamed = declared > 1;
  return order === 'row' ? rowJson(tensors, isNamed) : columnJson(tensors, isNamed);
}

interface PrintedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly texts: readonly string[];
}

function printElements(output: ResponseTensor): PrintedTensor {
  const { name } = output;
  const found = outputStrings(output);
  if (found === null) return { name, shape: output.shape, texts: elementTexts(output) };
  const { shape, strings } = found;
  // What TensorFlow Serving does: the name says that the strings need not be text.
  return { name, shape, texts: name.endsWith('_bytes') ? base64Texts(strings) : stringTexts(strings) };
}

function rowJson(tensors: readonly PrintedTensor[], isNamed: boolean): string {
  const batch = commonBatch(tensors);
  const columns = tensors.map(({ name, shape, texts }) => {
    const items = texts.length === 0 ? emptyItems(batch, shape) : singleLineItems(texts, shape);
    return { key: JSON.stringify(name), items };
  });
  const [only] = columns;
  if (batch === 0) return `{\n${INDENT}"predictions": []\n}`;
  if (!isNamed && only !== undefined) {
    return `{\n${INDENT}"predictions": [${only.items.join(', ')}\n${INDENT}]\n}`;
  }
  const margin = INDENT.repeat(2);
  const rows = Array.from({ length: batch }, (_, item) => {
    const members = columns.map(({ key, items }) => `${margin}${INDENT}${key}: ${items[item]}`);
    return `${margin}{\n${members.join(',\n')}\n${margin}}`;
  });
  return `{\n${INDENT}"predictions": [\n${rows.join(',\n')}\n${INDENT}]\n}`;
}

function commonBatch(tensors: readonly PrintedTensor[]): number {
  const [first] = tensors;
  for (const { name, shape } of tensors) {
    if (shape.length === 0) throw new ServingError('REST_SERIALIZE_FAILED', `Output: ${name} has no batch dimension`);
    if (shape[0] !== first?.shape[0]) {
      const detail = `Output: ${name} has batch size: ${shape[0]}; Expected: ${first?.shape[0]} as output: ${first?.name}`;
      throw new ServingError('REST_SERIALIZE_FAILED', detail);
    }
  }
  return first?.shape[0] ?? 0;
}

/** Texts of the items of the batch, folded from the innermost dimension outwards. */
function singleLineItems(texts: readonly string[], shape: Shape): readonly string[] {
  let level = texts;
  for (let dimension = shape.length - 1; dimension > 0; dimension -= 1) {
    level = fold(level, shape[dimension] ?? 0, (items) => `[${items.join(', ')}]`);
  }
  return level;
}

/** Items without elements: brackets around a dimension of size 0. */
function emptyItems(batch: number, shape: Shape): string[] {
  return Array.from({ length: batch }, () => emptyArray(shape.slice(1), (items) => `[${items.join(', ')}]`));
}

function columnJson(tensors: readonly PrintedTensor[], isNamed: boolean): string {
  const [only] = tensors;
  if (only === undefined) return `{\n${INDENT}"outputs": {}\n}`;
  if (!isNamed) {
    return `{\n${INDENT}"outputs": ${multiLine(only, 1)}\n}`;
  }
  const members = tensors.map((tensor) => `${INDENT.repeat(2)}${JSON.stringify(tensor.name)}: ${multiLine(tensor, 2)}`);
  return `{\n${INDENT}"outputs": {\n${members.join(',\n')}\n${INDENT}}\n}`;
}

/** @param depth levels of indentation in front of the tensor's closing bracket. */
function multiLine({ shape, texts }: PrintedTensor, depth: number): string {
  if (texts.length === 0) return emptyArray(shape, indented, depth);
  let level = texts;
  for (let dimension = shape.length - 1; dimension >= 0; dimension -= 1) {
    level = fold(level, shape[dimension] ?? 0, (items) => indented(items, depth + dimension));
  }
  return level[0] ?? '';
}

function indented(items: readonly string[], depth: number): string {
  if (items.length === 0) return '[]';
  const margin = INDENT.repeat(depth);
  return `[\n${margin}${INDENT}${items.join(`,\n${margin}${INDENT}`)}\n${margin}]`;
}

function fold(texts: readonly string[], size: number, wrap: (items: readonly string[]) => string): string[] {
  const folded: string[] = [];
  for (let start = 0; start < texts.length; start += size) folded.push(wrap(texts.slice(start, start + size)));
  return folded;
}

function emptyArray(shape: Shape, wrap: (items: readonly string[], depth: number) => string, depth = 0): string {
  const [size = 0, ...inner] = shape;
  const items = Array.from({ length: size }, () => emptyArray(inner, wrap, depth + 1));
  return wrap(items, depth);
}
