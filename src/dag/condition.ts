import type { ConditionOperator, ConditionTest } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { accepts, elementCount, formatPartialShape, isStatic } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** A question about one element of one value. Plain data. */
export interface GraphCondition {
  readonly value: number;
  /** Row-major index of the element asked about; `null`: the only one. */
  readonly element: number | null;
  /** All of them must pass. */
  readonly tests: readonly ConditionTest[];
}

type Comparison = (element: number | bigint, operands: readonly number[]) => boolean;

/** JavaScript orders 64-bit integers and numbers by value, exactly; it is only `===` that tells them apart. */
const isEqual = (element: number | bigint, operand: number): boolean => element <= operand && element >= operand;
const isOneOf: Comparison = (element, operands) => operands.some((operand) => isEqual(element, operand));

const COMPARISONS: Readonly<Record<ConditionOperator, Comparison>> = {
  equals: isOneOf,
  notEquals: (element, operands) => !isOneOf(element, operands),
  in: isOneOf,
  notIn: (element, operands) => !isOneOf(element, operands),
  lessThan: (element, [operand]) => element < operand!,
  atMost: (element, [operand]) => element <= operand!,
  greaterThan: (element, [operand]) => element > operand!,
  atLeast: (element, [operand]) => element >= operand!,
};

/** Whether an element passes every test. NaN passes only `notEquals` and `notIn`. */
export function passes(element: number | bigint, tests: readonly ConditionTest[]): boolean {
  return tests.every(({ operator, operands }) => COMPARISONS[operator](element, operands));
}

/**
 * Whether a condition can ever be asked of a tensor.
 *
 * @throws ServingError PIPELINE_CONDITION
 */
export function checkCondition(info: TensorInfo, element: number | null, path: string): void {
  if (info.precision === 'STRING')
    throw new ServingError('PIPELINE_CONDITION', `expected a tensor of numbers, received STRING at ${path}`);
  const received = `received ${formatPartialShape(info.shape)} at ${path}`;
  if (element === null) {
    if (info.shape.every((dimension) => accepts(dimension, 1))) return;
    throw new ServingError(
      'PIPELINE_CONDITION',
      `expected a tensor of one element, or an index "element", ${received}`,
    );
  }
  if (!isStatic(info.shape)) return;
  const count = elementCount(info.shape.map(({ min }) => min)) ?? Infinity;
  if (element >= count)
    throw new ServingError('PIPELINE_CONDITION', `expected more than ${element} elements, ${received}`);
}
