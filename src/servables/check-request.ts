import { ServingError } from '../errors.js';
import { byName } from '../dag/graph.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { accepts, elementCount, formatPartialShape, formatShape, type Shape } from '../tensors/shape.js';
import { stringCount } from '../tensors/strings.js';
import { batchIndex, type TensorInfo } from '../tensors/tensor-info.js';
import { countExpected } from './expected-inputs.js';
import type { PredictRequest, RequestTensor } from './predict-request.js';
import { checkStrings } from './strings/check-strings.js';
import { shortened } from '../texts.js';

/**
 * Checks a request against the inputs of its servable, in the order of OVMS 2026.2.1: the count first, then every expected input
 * by name, and for each one presence, sizes, precision, rank, batch, shape and content. A name the servable does not know is thus
 * reported as the expected name that is missing.
 *
 * @param inputs sorted by name.
 * @param isDemultiplexed whether the request is split on the first dimension of its inputs, which tells what strings are for.
 * @param optional inputs that somebody else reads; they only count here.
 * @returns the tensors in the order of `inputs`.
 * @throws ServingError INVALID_*
 */
export function checkRequest(
  request: PredictRequest,
  inputs: readonly TensorInfo[],
  isDemultiplexed: boolean,
  optional: readonly TensorInfo[] = [],
): RequestTensor[] {
  const expected = inputs.length + (optional.length === 0 ? 0 : countSent(optional, request));
  if (request.inputs.size !== expected || inputs.length === 0) {
    throw new ServingError('INVALID_NO_OF_INPUTS', `Expected: ${expected}; Actual: ${request.inputs.size}`);
  }
  const tensors: RequestTensor[] = [];
  for (const input of inputs) {
    const tensor = request.inputs.get(input.name);
    if (tensor === undefined) throw new ServingError('INVALID_MISSING_INPUT', `Required input: ${input.name}`);
    checkTensor(tensor, input, isDemultiplexed);
    tensors.push(tensor);
  }
  return tensors;
}

/** Apart, for whoever makes a closure allocates its variables even when nothing is optional. */
function countSent(optional: readonly TensorInfo[], { inputs }: PredictRequest): number {
  return countExpected(optional, (name) => inputs.has(name));
}

function checkTensor(tensor: RequestTensor, input: TensorInfo, isDemultiplexed: boolean): void {
  if (tensor.shape.some(isNegative)) {
    throw new ServingError(
      'INVALID_SHAPE',
      `Negative or zero dimension size is not acceptable: ${formatShape(tensor.shape)}${place(input)}`,
    );
  }
  const { content, shape } = tensor;
  if (content.kind === 'strings' && input.precision !== 'STRING')
    return checkStrings(content.strings, shape, input, isDemultiplexed, place(input));
  if (tensor.precision !== input.precision) {
    throw new ServingError(
      'INVALID_PRECISION',
      `Expected: ${input.precision}; Actual: ${shortened(tensor.precisionText)}${place(input)}`,
    );
  }
  checkShape(tensor.shape, input);
  checkContent(tensor, input);
}

function isNegative(size: number): boolean {
  return size < 0;
}

/** Made only for errors. */
function place({ name }: TensorInfo): string {
  return `; input name: ${name}`;
}

function expectation(shape: Shape, input: TensorInfo): string {
  return `Expected: ${formatPartialShape(input.shape)}; Actual: ${formatShape(shape)}${place(input)}`;
}

function checkShape(shape: Shape, input: TensorInfo): void {
  if (shape.length !== input.shape.length) {
    throw new ServingError('INVALID_NO_OF_SHAPE_DIMENSIONS', expectation(shape, input));
  }
  const batch = batchIndex(input.layout);
  if (batch !== null && batch < shape.length && !accepts(input.shape[batch]!, shape[batch]!)) {
    const expected = formatPartialShape([input.shape[batch]!]).slice(1, -1);
    throw new ServingError('INVALID_BATCH_SIZE', `Expected: ${expected}; Actual: ${shape[batch]!}${place(input)}`);
  }
  for (let axis = 0; axis < shape.length; axis += 1) {
    if (!accepts(input.shape[axis]!, shape[axis]!)) throw new ServingError('INVALID_SHAPE', expectation(shape, input));
  }
}

function checkContent({ shape, content }: RequestTensor, input: TensorInfo): void {
  const count = elementCount(shape);
  if (count === null) throw new ServingError('INVALID_CONTENT_SIZE', `Shape dimensions are too large${place(input)}`);
  if (content.kind !== 'bytes') {
    const actual = content.kind === 'values' ? content.count : stringCount(content.strings);
    if (actual === count) return;
    throw new ServingError('INVALID_VALUE_COUNT', `Expected: ${count}; Actual: ${actual}${place(input)}`);
  }
  const expected = count * ELEMENT_BYTES[input.precision];
  const actual = content.bytes.byteLength;
  if (actual !== expected) {
    throw new ServingError(
      'INVALID_CONTENT_SIZE',
      `Expected: ${expected} bytes; Actual: ${actual} bytes${place(input)}`,
    );
  }
}

/** Sorted copies of the inputs of a servable, made once when it is loaded. */
export function checkOrder(inputs: readonly TensorInfo[]): TensorInfo[] {
  return byName(inputs);
}
