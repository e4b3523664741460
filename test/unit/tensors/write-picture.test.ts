import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementArray, elementValue } from '#src/tensors/elements.js';
import { PICTURE_PRECISIONS, type Picture, type PicturePrecision } from '#src/tensors/picture.js';
import { covers } from '../../contract/covers.js';
import { ELEMENT_BYTES } from '#src/tensors/precision.js';
import { swapRedAndBlue, writePicture } from '#src/tensors/write-picture.js';

function grey(...elements: readonly number[]): Picture {
  return { height: 1, width: elements.length, channels: 1, elements: Uint8Array.from(elements) };
}

function written(picture: Picture, precision: PicturePrecision, width = picture.width): number[] {
  const count = picture.height * width * picture.channels;
  // Behind another picture: the target need not begin where its buffer does.
  const memory = new Uint8Array(new SharedArrayBuffer(8 + count * ELEMENT_BYTES[precision]), 8);
  writePicture(picture, { height: picture.height, width }, precision, memory);
  const elements = elementArray(precision, memory.buffer, 8, count);
  return Array.from({ length: count }, (_, at) => Number(elementValue(precision, elements, at)));
}

for (const precision of PICTURE_PRECISIONS) {
  test(`write picture: ${precision} holds the values as they are`, () => {
    covers('pictures.precisions');
    assert.deepEqual(written(grey(0, 1, 127), precision), [0, 1, 127]);
    assert.deepEqual(written(grey(10, 10, 10, 20, 20, 20), precision, 2), [10, 20]);
  });
}

test('write picture: values beyond a precision become its largest, before they are resized', () => {
  assert.deepEqual(written(grey(128, 255), 'I8'), [127, 127]);
  assert.deepEqual(written(grey(27, 255), 'I8', 1), [77]);
  const wide: Picture = { ...grey(0, 0, 0), elements: Uint16Array.of(255, 256, 65535) };
  assert.deepEqual(written({ ...wide, elements: wide.elements.slice() }, 'U8'), [255, 255, 255]);
  assert.deepEqual(written({ ...wide, elements: wide.elements.slice() }, 'I16'), [255, 256, 32767]);
  assert.deepEqual(written({ ...wide, elements: wide.elements.slice() }, 'FP32'), [255, 256, 65535]);
});

test('write picture: floats are rounded to the nearest, ties to even, and kept within the range', () => {
  covers('pictures.opencv');
  const floats = (): Picture => {
    const elements = Float32Array.of(0.5, 1.5, 2.51, -0.6, 300, -200, 40000, -40000, 3e9, -3e9, NaN, 2.5);
    return { height: 1, width: elements.length, channels: 1, elements };
  };
  const smallest = -(2 ** 31);
  assert.deepEqual(written(floats(), 'U8'), [0, 2, 3, 0, 255, 0, 255, 0, 0, 0, 0, 2]);
  assert.deepEqual(written(floats(), 'I8'), [0, 2, 3, -1, 127, -128, 127, -128, -128, -128, -128, 2]);
  assert.deepEqual(written(floats(), 'U16'), [0, 2, 3, 0, 300, 0, 40000, 0, 0, 0, 0, 2]);
  assert.deepEqual(written(floats(), 'I16'), [0, 2, 3, -1, 300, -200, 32767, -32768, -32768, -32768, -32768, 2]);
  const integers = [0, 2, 3, -1, 300, -200, 40000, -40000, smallest, smallest, smallest, 2];
  assert.deepEqual(written(floats(), 'I32'), integers);
  for (const precision of ['FP32', 'FP64'] as const)
    assert.deepEqual(written(floats(), precision), [...floats().elements], precision);
  const halves = written(floats(), 'FP16');
  assert.deepEqual([halves[0], halves[5], halves[8], halves[10]], [0.5, -200, Infinity, NaN]);
});

test('write picture: blue comes first, alpha and grey stay where they are', () => {
  const pictures = [grey(1, 2, 3), { ...grey(1, 2, 3, 4, 5, 6), channels: 3 }, { ...grey(1, 2, 3, 4), channels: 4 }];
  for (const picture of pictures) swapRedAndBlue(picture);
  assert.deepEqual(
    pictures.map(({ elements }) => [...elements]),
    [
      [1, 2, 3],
      [3, 2, 1, 6, 5, 4],
      [3, 2, 1, 4],
    ],
  );
});
