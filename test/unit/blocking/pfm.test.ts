import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import { decode } from '../../helpers/pictures.js';

function pfm(head: string, samples: readonly number[], isLittle = true): Buffer {
  const bytes = Buffer.alloc(4 * samples.length);
  samples.forEach((sample, at) => (isLittle ? bytes.writeFloatLE(sample, 4 * at) : bytes.writeFloatBE(sample, 4 * at)));
  return Buffer.concat([Buffer.from(head), bytes]);
}

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('pfm: grey floats, the bottom row first', async () => {
  covers('pictures.formats', 'pictures.opencv');
  const decoded = await decode(pfm('Pf\n2 2\n-1.0\n', [0.5, -1.25, 3e38, 70000.5]));
  const values = [Math.fround(3e38), 70000.5, 0.5, -1.25];
  assert.deepEqual(decoded, { height: 2, width: 2, channels: 1, values });
});

test('pfm: a scale that is not negative orders bytes the other way', async () => {
  covers('pictures.opencv');
  assert.deepEqual((await decode(pfm('Pf\n2 1\n1\n', [0.5, -1.25], false))).values, [0.5, -1.25]);
});

test('pfm: colours come blue first, divided by the magnitude of the scale in single precision', async () => {
  covers('pictures.opencv');
  const { channels, values } = await decode(pfm('PF\n1 1\n-2.5\n', [1, 2, 10]));
  assert.deepEqual([channels, values], [3, [4, Math.fround(2 * Math.fround(0.4)), Math.fround(0.4)]]);
});

test('pfm: what is no number stays none', async () => {
  covers('pictures.opencv');
  const { values } = await decode(pfm('Pf 3 1 -1.0 '.replace(' ', '\n'), [NaN, Infinity, -Infinity]));
  assert.deepEqual(values, [NaN, Infinity, -Infinity]);
});

test('pfm: what cannot be is refused', async () => {
  covers('pictures.undecodable');
  const refused = [
    pfm('Pf\n2 1\n-1.0\n', [1]),
    pfm('Pf\n1 1\n0.0\n', [1]),
    pfm('Pf\n0 1\n-1.0\n', [1]),
    pfm('Pf\n999999999 999999999\n-1.0\n', [1]),
    pfm('Pf 1 1 -1.0 ', [1]),
    pfm('PF4\n1 1\n-1.0\n', [1, 2, 3, 4]),
    pfm('Pf\n1 1\nx\n', [1]),
  ];
  for (const [index, encoded] of refused.entries())
    await assert.rejects(decode(encoded), { code: 'PICTURE_PARSING_FAILED' }, `case ${index}`);
});
