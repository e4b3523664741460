import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alphabetOf, spell, type Reading } from '#nodes/ocr/ctc.js';

const CHARACTERS = alphabetOf('a\nb\nc\n');
const BLANK = 0;
const [A, B, SPACE] = [1, 2, 4];

/** One step: probabilities by class, 0 for the others. */
type Step = Readonly<Record<number, number>>;

function read(steps: readonly Step[], leastSpace = 1): Reading {
  const rows = steps.flatMap((step) => CHARACTERS.map((_, index) => step[index] ?? 0));
  return spell(Float32Array.from(rows), steps.length, { characters: CHARACTERS, leastSpace });
}

function sure(...classes: readonly number[]): Step[] {
  return classes.map((index) => ({ [index]: 1 }));
}

test('alphabet: the blank, a character a line, the space', () => {
  assert.deepEqual(CHARACTERS, ['', 'a', 'b', 'c', ' ']);
  // A character may be a separator of lines itself.
  assert.deepEqual(alphabetOf('\u2028\nb\n'), ['', '\u2028', 'b', ' ']);
});

test('spelling: repetitions are told once, unless a blank is between them', () => {
  assert.deepEqual(read(sure(BLANK, A, A, BLANK, A, B, B, BLANK)), { text: 'aab', confidence: 1 });
});

test('spelling: the confidence is the mean of the characters at their first step', () => {
  assert.deepEqual(read([{ [A]: 0.5 }, { [A]: 1 }, { [BLANK]: 1 }, { [B]: 0.75 }]), { text: 'ab', confidence: 0.625 });
});

test('spelling: nothing but blanks is no text without confidence', () => {
  assert.deepEqual(read(sure(BLANK, BLANK)), { text: '', confidence: 0 });
  assert.deepEqual(read([]), { text: '', confidence: 0 });
});

test('spelling: a gap where the space is likely enough is a space', () => {
  const gap = { [BLANK]: 0.8, [SPACE]: 0.2 };
  const steps = [{ [A]: 1 }, gap, gap, { [B]: 1 }, { [BLANK]: 0.99, [SPACE]: 0.01 }, { [B]: 1 }];
  assert.deepEqual(read(steps, 0.1), { text: 'a bb', confidence: 1 });
  assert.deepEqual(read(steps, 0.3), { text: 'abb', confidence: 1 });
});

test('spelling: spaces are neither doubled nor at the ends', () => {
  const gap = { [BLANK]: 0.8, [SPACE]: 0.2 };
  const steps = [gap, { [A]: 1 }, { [SPACE]: 1 }, { [BLANK]: 1 }, gap, { [B]: 1 }, { [SPACE]: 1 }];
  assert.equal(read(steps, 0.1).text, 'a b');
});
