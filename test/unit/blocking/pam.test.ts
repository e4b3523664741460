import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import { decode } from '../../helpers/pictures.js';

function pam(fields: string, samples: readonly number[]): Buffer {
  return Buffer.concat([Buffer.from(`P7\n${fields}\nENDHDR\n`), Buffer.from(samples)]);
}

// Expected values are those of OpenCV 4.13.0, cv2.imdecode(..., cv2.IMREAD_UNCHANGED).

test('pam: samples keep the order of the file, whatever the tuple type', async () => {
  covers('pictures.formats', 'pictures.opencv');
  for (const [type, channels] of [
    ['GRAYSCALE', 1],
    ['GRAYSCALE_ALPHA', 2],
    ['RGB', 3],
    ['RGB_ALPHA', 4],
    ['GRAYSCALE', 3],
  ] as const) {
    const samples = Array.from({ length: 2 * channels }, (_, at) => 10 * at);
    const head = `WIDTH 2\nHEIGHT 1\nDEPTH ${channels}\nMAXVAL 100\nTUPLTYPE ${type}`;
    assert.deepEqual(await decode(pam(head, samples)), { height: 1, width: 2, channels, values: samples }, type);
  }
});

test('pam: fields come in any order, beside comments and empty lines', async () => {
  covers('pictures.formats');
  const head = '# a comment\n\nMAXVAL 255\nDEPTH   3\n HEIGHT 1 \n#\nWIDTH 1';
  assert.deepEqual((await decode(pam(head, [1, 2, 3]))).values, [1, 2, 3]);
  const windows = 'P7\r\nWIDTH 1\r\nHEIGHT 1\r\nDEPTH 1\r\nMAXVAL 255\r\nTUPLTYPE GRAYSCALE\r\nENDHDR\n';
  assert.deepEqual((await decode(Buffer.concat([Buffer.from(windows), Buffer.from([97])]))).values, [97]);
});

test('pam: samples above 255 have 16 bits', async () => {
  covers('pictures.unchanged');
  const head = 'WIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1000\nTUPLTYPE GRAYSCALE';
  assert.deepEqual((await decode(pam(head, [1, 0, 3, 232]))).values, [256, 1000]);
});

test('pam: with a MAXVAL of 1 the first bytes of a row are its bits', async () => {
  covers('pictures.opencv');
  const head = 'WIDTH 3\nHEIGHT 2\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE';
  assert.deepEqual(
    (await decode(pam(head, [0b1010_0000, 0, 0, 0b0110_0000, 0, 0]))).values,
    [255, 0, 255, 0, 255, 255],
  );
});

test('pam: what cannot be is refused', async () => {
  covers('pictures.undecodable');
  const refused = [
    pam('WIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 255', [1]),
    pam('WIDTH 1\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255', [1]),
    pam('WIDTH 1\nHEIGHT 1\nMAXVAL 255', [1]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 70000', [1, 1]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nTUPLTYPE RGB', [1, 2, 3, 4, 5]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE CMYK', [1, 2, 3]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255', [1, 2]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 1\nTUPLTYPE GRAYSCALE_ALPHA', [1, 1]),
    pam('WIDTH 1\nHEIGHT -1\nDEPTH 1\nMAXVAL 255', [1]),
    pam('WIDTH 999999999\nHEIGHT 999999999\nDEPTH 1\nMAXVAL 255', [1]),
    pam('WIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nCOLOR 1', [1]),
    Buffer.from('P7\nWIDTH 1\nHEIGHT 1'),
    Buffer.from('P7 WIDTH 1'),
    // A look at each line from the first byte on would not end.
    Buffer.from(`P7\n${'\n'.repeat(2_000_000)}`),
    Buffer.from(`P7\nTUPLTYPE ${'x'.repeat(300)}\n`),
  ];
  for (const [index, encoded] of refused.entries())
    await assert.rejects(decode(encoded), { code: 'PICTURE_PARSING_FAILED' }, `case ${index}`);
});
