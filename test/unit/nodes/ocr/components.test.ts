import assert from 'node:assert/strict';
import { test } from 'node:test';
import { components, threshold, type Mask } from '#nodes/ocr/components.js';

/** A mask drawn with `#`. */
function drawn(...rows: readonly string[]): Mask {
  const bits = Uint8Array.from(rows.join(''), (mark) => (mark === '#' ? 1 : 0));
  return { width: rows[0]!.length, height: rows.length, bits };
}

test('threshold: what exceeds it, widened by a pixel to the right and down, inside the map', () => {
  const map = Float32Array.from([0.26, 0, 0, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.9]);
  assert.deepEqual(threshold(map, 4, 3, 0.25), drawn('##..', '##..', '...#'));
});

test('components: parts that touch by a corner are one, in the order of the rows', () => {
  const found = [...components(drawn('..#..#', '.#...#', '#....#'))];
  assert.deepEqual(
    found.map(({ size }) => size),
    [3, 3],
  );
  assert.deepEqual(
    found[1]!.outline.map(({ x }) => x),
    [5.5, 5.5, 5.5, 5.5, 5.5, 5.5],
  );
});

test('components: the outline has the ends of each row', () => {
  const [ring] = components(drawn('.##.', '#..#', '.##.'));
  const ends = new Set(ring!.outline.map(({ x, y }) => `${x},${y}`));
  assert.deepEqual(ends, new Set(['1.5,0.5', '2.5,0.5', '0.5,1.5', '3.5,1.5', '1.5,2.5', '2.5,2.5']));
});

test('components: the ends of one row are not neighbours of the next', () => {
  assert.equal([...components(drawn('...#', '#...'))].length, 2);
});

test('components: an empty mask has none', () => {
  assert.deepEqual([...components(drawn('....', '....'))], []);
});
