import { contains, type Corners, type Rectangle } from '#nodes/ocr/geometry.js';
import type { TextMap } from '#nodes/ocr/text-boxes.js';
import type { NodeContext, Precision, Tensor, TensorDeclaration } from 'vinery/node';

/** A rectangle turned by `degrees`, clockwise as seen on the screen. */
export function turned(x: number, y: number, width: number, height: number, degrees: number): Rectangle {
  const angle = (degrees * Math.PI) / 180;
  return { centre: { x, y }, right: { x: Math.cos(angle), y: Math.sin(angle) }, width, height };
}

/** A map that has `inside` at the pixels whose centre is in one of the rectangles, 0 elsewhere. */
export function mapOf(width: number, height: number, rectangles: readonly Rectangle[], inside = 0.9): TextMap {
  const values = Float32Array.from({ length: width * height }, (_, at) => {
    const centre = { x: (at % width) + 0.5, y: Math.floor(at / width) + 0.5 };
    return rectangles.some((rectangle) => contains(rectangle, centre)) ? inside : 0;
  });
  return { width, height, values };
}

/** An upright box. */
export function uprightBox(left: number, top: number, width: number, height: number): Corners {
  const [right, bottom] = [left + width, top + height];
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ];
}

export function bytesTensor(shape: readonly number[], data: Uint8Array): Tensor<'U8'> {
  return { name: '', precision: 'U8', shape, data };
}

export function floatsTensor(shape: readonly number[], data: Float32Array): Tensor<'FP32'> {
  return { name: '', precision: 'FP32', shape, data };
}

/** A picture of one grey, [1,height,width,3]. */
export function greyPicture(width: number, height: number, grey: number): Tensor<'U8'> {
  return bytesTensor([1, height, width, 3], new Uint8Array(3 * width * height).fill(grey));
}

/** A context whose memory was used before, as the server's is. It keeps what was allocated under the outputs' names. */
export function contextOf<State>(
  params: unknown,
  state: State,
  declarations: readonly TensorDeclaration[],
): NodeContext<unknown, State> & { readonly allocated: Map<string, Tensor> } {
  const allocated = new Map<string, Tensor>();
  const allocate = <P extends Precision>(name: string, shape: readonly number[] = []): Tensor<P> => {
    const declared = declarations.find((each) => each.name === name);
    if (declared === undefined) throw new Error(`expected a declared output, received ${name}`);
    const { precision } = declared;
    const length = shape.reduce((product, size) => product * size, 1);
    const data = precision === 'U8' ? new Uint8Array(length).fill(77) : new Float32Array(length).fill(77);
    const tensor = { name, precision, shape, data } as Tensor<P>;
    allocated.set(name, tensor);
    return tensor;
  };
  return { params, state, isWanted: () => true, allocate, allocated };
}
