import { Tensor } from '#src/openvino/index.js';

/** Ten elements of the same value, as the dummy model has them. */
export const tens = (value: number): number[] => Array<number>(10).fill(value);

export function floats(value: number, shape: number[] = [1, 10]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return new Tensor('f32', shape, new Float32Array(count).fill(value));
}

/** Ones at some of ten positions, zeros elsewhere. */
export function flags(...positions: number[]): Float32Array {
  const array = new Float32Array(10);
  for (const position of positions) array[position] = 1;
  return array;
}

export function numbers(tensor: Tensor | undefined): number[] {
  return [...tensor!.data].map(Number);
}
