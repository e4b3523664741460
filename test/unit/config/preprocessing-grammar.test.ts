import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseChannelNumbers,
  parseColorFormat,
  parsePrecision,
  parseScale,
} from '#src/config/preprocessing-grammar.js';

describe('preprocessing: mean and scale', () => {
  for (const [text, value] of [
    ['127.5', [127.5]],
    ['-1', [-1]],
    ['+.5', [0.5]],
    ['1e2', [100]],
    ['[1,2,3]', [1, 2, 3]],
    ['( 1.5, 2 ,3 )', [1.5, 2, 3]],
    ['[7]', [7]],
    ['0', [0]],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseChannelNumbers(text), { value, fault: null }));
  }

  it('reads what single precision can hold', () =>
    assert.deepEqual(parseChannelNumbers('0.1').value, [Math.fround(0.1)]));

  for (const text of [
    '',
    'x',
    '1,2',
    '[1,2',
    '[1,2)',
    '[]',
    '[1,]',
    'NaN',
    'Infinity',
    '1e99',
    '0x10',
    '[[1]]',
    '1;2',
  ]) {
    it(`refuses "${text}"`, () => {
      const { value, fault } = parseChannelNumbers(text);
      assert.equal(value, null);
      assert.match(fault, /^expected a number, or one a channel: \[a,b,c\] or \(a,b,c\), received "/);
    });
  }

  it('refuses to divide by 0', () => assert.match(parseScale('[1,0]').fault ?? '', /without 0, received "\[1,0\]"$/));
  it('reads other scales', () => assert.deepEqual(parseScale('[1,2]').value, [1, 2]));
});

describe('preprocessing: color format', () => {
  for (const [text, target, source] of [
    ['RGB:BGR', 'RGB', 'BGR'],
    ['gray:rgb', 'GRAY', 'RGB'],
    ['BGR:NV12', 'BGR', 'NV12'],
    ['BGR:NV12_2', 'BGR', 'NV12_2'],
    ['RGB:I420', 'RGB', 'I420'],
    ['RGB:I420_3', 'RGB', 'I420_3'],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseColorFormat(text).value, { target, source }));
  }
  for (const text of ['', 'RGB', 'RGB:', ':BGR', 'RGB:BGR:RGB', 'RGB:CMYK', 'NV12:RGB']) {
    it(`refuses "${text}"`, () => {
      assert.match(
        parseColorFormat(text).fault ?? '',
        /^expected TARGET:SOURCE with TARGET one of RGB, BGR, GRAY and SOURCE one of RGB, BGR, GRAY, NV12, NV12_2, I420, I420_3, received "/,
      );
    });
  }
});

describe('preprocessing: precision', () => {
  for (const [text, target, source] of [
    ['fp32:uint8', 'FP32', 'U8'],
    ['FP16:INT64', 'FP16', 'I64'],
    ['bf16:fp64', 'BF16', 'FP64'],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parsePrecision(text).value, { target, source }));
  }
  for (const text of ['', 'fp32', 'fp32:', 'fp32:uint8:uint8', 'fp32:string', 'fp32:bool', 'fp32:float']) {
    it(`refuses "${text}"`, () => {
      const expected = 'fp64, fp32, fp16, bf16, int64, int32, int16, int8, uint64, uint32, uint16, uint8';
      assert.equal(
        parsePrecision(text).fault,
        `expected target:source, each one of ${expected}, received ${JSON.stringify(text)}`,
      );
    });
  }
});
