import { contains, type Corners, type Rectangle } from '#nodes/ocr/geometry.js';
import type { TextMap } from '#nodes/ocr/text-boxes.js';
import type { Allocated, Context, NodeTensor, Port } from '#nodes/ocr/node.js';

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

export function tensor<Data extends Float32Array | Uint8Array>(shape: readonly number[], data: Data): NodeTensor<Data> {
  return { name: '', precision: data instanceof Uint8Array ? 'U8' : 'FP32', shape, data };
}

/** A picture of one grey, [1,height,width,3]. */
export function greyPicture(width: number, height: number, grey: number): NodeTensor<Uint8Array> {
  return tensor([1, height, width, 3], new Uint8Array(3 * width * height).fill(grey));
}

/** A context whose memory was used before, as the server's is. It keeps what was allocated under the outputs' names. */
export function contextOf<State>(
  params: unknown,
  state: State,
  ports: readonly Port[],
): Context<State> & { readonly allocated: Map<string, Allocated> } {
  const allocated = new Map<string, Allocated>();
  const allocate = (output: string, shape: readonly number[]): Allocated => {
    const port = ports.find(({ name }) => name === output);
    if (port === undefined) throw new Error(`expected an announced output, received ${output}`);
    const length = shape.reduce((product, size) => product * size, 1);
    const data = port.precision === 'U8' ? new Uint8Array(length).fill(77) : new Float32Array(length).fill(77);
    allocated.set(output, { shape, data });
    return allocated.get(output)!;
  };
  return { params, state, allocate, allocated };
}
