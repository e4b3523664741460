import type { RequestTensor } from '../servables/predict-request.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { ClientError } from './client-error.js';
import { readElements } from './elements.js';
import type { NdArray } from './npy.js';

/** TensorFlow's models count a background class before the thousand of ImageNet. */
const CLASSES_WITH_BACKGROUND = 1001;

/** An output as an array of numbers. @throws ClientError when its content does not fit its type and shape. */
export function outputArray(name: string, tensor: RequestTensor): NdArray {
  const { precision, shape, content } = tensor;
  if (precision === null || content.kind === 'strings') {
    throw new ClientError(`Output ${name} of type ${tensor.precisionText} has no numbers`);
  }
  const size = shape.reduce((product, length) => product * length, ELEMENT_BYTES[precision]);
  const bytes = content.kind === 'bytes' ? content.bytes : new Uint8Array(content.count * ELEMENT_BYTES[precision]);
  if (content.kind === 'values') content.writeTo(bytes);
  if (bytes.byteLength !== size) {
    throw new ClientError(
      `Output ${name} of shape ${pythonTuple(shape)} has ${bytes.byteLength} bytes, expected ${size}`,
    );
  }
  return { precision, shape, elements: readElements(precision, bytes) };
}

/**
 * The ImageNet class of each item of a batch. A pipeline answers numbers of classes, counted with the background class; a model
 * answers the scores of all classes.
 */
export function predictedClasses(output: NdArray, fromPipeline: boolean): number[] {
  const { elements, shape } = output;
  const count = shape[0] ?? 1;
  const rowLength = count === 0 ? 0 : elements.length / count;
  return Array.from({ length: count }, (_, item) => {
    const begin = item * rowLength;
    if (fromPipeline) return elements[begin]! - 1;
    const background = shape[1] === CLASSES_WITH_BACKGROUND ? 1 : 0;
    return indexOfMax(elements, begin, begin + rowLength) - begin - background;
  });
}

function indexOfMax(elements: ArrayLike<number>, begin: number, end: number): number {
  let best = begin;
  for (let index = begin + 1; index < end; index += 1) {
    if (elements[index]! > elements[best]!) best = index;
  }
  return best;
}

/** `(10, 224, 224, 3)`, `(1,)` and `()`, as Python prints tuples. */
export function pythonTuple(sizes: readonly number[]): string {
  return sizes.length === 1 ? `(${sizes[0]},)` : `(${sizes.join(', ')})`;
}
