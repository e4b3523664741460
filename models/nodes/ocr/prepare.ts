/**
 * Node `prepare`: a picture of any size becomes what the detector wants. Parameters: `shortest_side` to which small pictures are
 * enlarged (736), `longest_side` to which big ones are reduced (2000).
 */
import type { NodeContext, Output, Tensor, TensorDeclaration } from 'vinery/node';
import { numberParameter } from './parameters.js';
import { pictureOf } from './picture.js';
import { warp } from './warp.js';

/** The detector halves its maps five times. */
const MULTIPLE = 32;

export interface SideSettings {
  readonly shortest: number;
  readonly longest: number;
}

export function initialize(params: unknown): SideSettings {
  return {
    shortest: numberParameter(params, 'shortest_side', 736, MULTIPLE),
    longest: numberParameter(params, 'longest_side', 2000, MULTIPLE),
  };
}

/** A picture, blue, green, red. */
export function inputs(): TensorDeclaration[] {
  return [{ name: 'image', precision: 'U8', shape: [1, -1, -1, 3] }];
}

export function outputs(): TensorDeclaration[] {
  return [{ name: 'planes', precision: 'FP32', shape: [1, 3, -1, -1] }];
}

export function execute(
  { image }: { readonly image: Tensor<'U8'> },
  context: NodeContext<unknown, SideSettings>,
): { planes: Output } {
  const picture = pictureOf(image);
  const [width, height] = networkSize(picture.width, picture.height, context.state);
  const planes = context.allocate<'FP32'>('planes', [1, 3, height, width]);
  const whole = {
    topLeft: { x: 0, y: 0 },
    topRight: { x: picture.width, y: 0 },
    bottomLeft: { x: 0, y: picture.height },
  };
  warp(picture, whole, { width, height, values: planes.data }, width);
  return { planes };
}

/** Width and height scaled alike so that the shorter side is long enough and the longer one short enough, then rounded. */
export function networkSize(width: number, height: number, { shortest, longest }: SideSettings): [number, number] {
  const enlarged = Math.max(1, shortest / Math.min(width, height));
  const scale = Math.min(enlarged, longest / Math.max(width, height));
  const most = Math.floor(longest / MULTIPLE);
  const rounded = (side: number): number =>
    MULTIPLE * Math.min(Math.max(1, Math.round((side * scale) / MULTIPLE)), most);
  return [rounded(width), rounded(height)];
}
