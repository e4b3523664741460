/**
 * Node `crops`: finds the text lines in the detector's map and cuts them out of the picture, ready for the recogniser. It is a
 * dynamic demultiplexer: one shard a line. Parameters, by the names of PP-OCR: `thresh` (0.3), `box_thresh` (0.5), `unclip_ratio`
 * (1.6), `max_candidates` (1000), and `height` (48), `min_width` (320), `max_width` (2400) of the crops.
 */
import type { NodeContext, Output, Tensor, TensorDeclaration } from 'vinery/node';
import { commonWidth, crop, type CropSettings } from './crop.js';
import { cornersOf, distance, type Corners, type Point } from './geometry.js';
import { numberParameter } from './parameters.js';
import { pictureOf, type Picture } from './picture.js';
import { inReadingOrder } from './reading-order.js';
import { textBoxes, type BoxSettings, type TextMap } from './text-boxes.js';

/** Sides of a box in the picture, up to which nothing in it can be read (as PP-OCR). */
const UNREADABLE = 3;

export interface Settings {
  readonly boxes: BoxSettings;
  readonly crops: CropSettings;
}

export function initialize(params: unknown): Settings {
  return {
    boxes: {
      threshold: numberParameter(params, 'thresh', 0.3, 0),
      boxThreshold: numberParameter(params, 'box_thresh', 0.5, 0),
      unclipRatio: numberParameter(params, 'unclip_ratio', 1.6, 0),
      mostBoxes: numberParameter(params, 'max_candidates', 1000, 1),
    },
    crops: {
      height: numberParameter(params, 'height', 48, 1),
      leastWidth: numberParameter(params, 'min_width', 320, 1),
      mostWidth: numberParameter(params, 'max_width', 2400, 1),
    },
  };
}

/** The picture as the client sent it, blue, green, red, and the detector's map of it, which may have another size. */
export function inputs(): TensorDeclaration[] {
  return [
    { name: 'image', precision: 'U8', shape: [1, -1, -1, 3] },
    { name: 'map', precision: 'FP32', shape: [-1, 1, -1, -1] },
  ];
}

/** `boxes` are the corners (x, y) in pixels of the picture: top left, top right, bottom right, bottom left. */
export function outputs(_params: unknown, { crops }: Settings): TensorDeclaration[] {
  return [
    { name: 'crops', precision: 'FP32', shape: [-1, 1, 3, crops.height, -1] },
    { name: 'boxes', precision: 'FP32', shape: [-1, 4, 2] },
  ];
}

export function execute(
  { image, map }: { readonly image: Tensor<'U8'>; readonly map: Tensor<'FP32'> },
  context: NodeContext<unknown, Settings>,
): { crops: Output; boxes: Output } {
  const { boxes: boxSettings, crops: cropSettings } = context.state;
  const picture = pictureOf(image);
  const [, , height = 0, width = 0] = map.shape;
  const found = boxesInPicture({ width, height, values: map.data }, picture, boxSettings);
  const cropWidth = commonWidth(found, cropSettings);
  const crops = context.allocate<'FP32'>('crops', [found.length, 1, 3, cropSettings.height, cropWidth]);
  const boxes = context.allocate<'FP32'>('boxes', [found.length, 4, 2]);
  const size = 3 * cropSettings.height * cropWidth;
  // What is right of a text must be 0 (grey), and the memory may have been used before.
  crops.data.fill(0);
  found.forEach((box, index) => {
    const values = crops.data.subarray(index * size, (index + 1) * size);
    crop(picture, box, values, cropWidth, cropSettings.height);
    boxes.data.set(
      box.flatMap(({ x, y }) => [x, y]),
      index * 8,
    );
  });
  return { crops, boxes };
}

function boxesInPicture(map: TextMap, picture: Picture, settings: BoxSettings): Corners[] {
  const scaled = ({ x, y }: Point): Point => ({
    x: (x * picture.width) / map.width,
    y: (y * picture.height) / map.height,
  });
  const boxes = textBoxes(map, settings).map((box): Corners => {
    const [topLeft, topRight, bottomRight, bottomLeft] = cornersOf(box);
    return [scaled(topLeft), scaled(topRight), scaled(bottomRight), scaled(bottomLeft)];
  });
  return inReadingOrder(boxes.filter(isReadable));
}

function isReadable([topLeft, topRight, , bottomLeft]: Corners): boolean {
  return distance(topLeft, topRight) > UNREADABLE && distance(topLeft, bottomLeft) > UNREADABLE;
}
