import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { INLINE_BOUND_MICROS, INLINE_END_MICROS, InlineGate } from '#src/inference/inline-gate.js';

const FAST = INLINE_BOUND_MICROS / 10;
const SLOW = INLINE_BOUND_MICROS * 100;

/** Runs inferences of the given times through a gate; tells which of them ran inline. */
function runThrough(gate: InlineGate, times: Iterable<number>): boolean[] {
  return Array.from(times, (micros) => {
    const isInline = gate.admits();
    if (isInline) gate.observe(micros);
    return isInline;
  });
}

const repeat = (micros: number, count: number): number[] => Array<number>(count).fill(micros);
const count = (inline: readonly boolean[]): number => inline.filter(Boolean).length;

test('inline gate: a fast model always runs inline', () => {
  assert.equal(count(runThrough(new InlineGate(FAST), repeat(FAST, 10_000))), 10_000);
});

test('inline gate: one slow inference among fast ones changes nothing', () => {
  const gate = new InlineGate(FAST);
  const times = [...repeat(FAST, 99), SLOW];
  assert.equal(count(runThrough(gate, [...times, ...times, ...times])), 300);
});

test('inline gate: when the time jumps, two inferences show it, and no other one is inline but ever rarer probes', () => {
  const gate = new InlineGate(FAST);
  runThrough(gate, repeat(FAST, 1_000));
  const inline = runThrough(gate, repeat(SLOW, 100_000));
  assert.deepEqual(inline.slice(0, 3), [true, true, false]);
  const places = inline.flatMap((isInline, index) => (isInline ? [index] : []));
  const gaps = places.slice(2).map((place, index) => place - places[index + 1]!);
  gaps.forEach((gap, index) => assert.ok(gap >= 64 * 2 ** index, `probe ${index} after ${gap}`));
  assert.ok(places.length <= 2 + Math.ceil(Math.log2(100_000 / 64)));
});

test('inline gate: what is fast again comes back and stays', () => {
  const gate = new InlineGate(FAST);
  runThrough(gate, repeat(FAST, 1_000));
  runThrough(gate, repeat(SLOW, 2));
  const inline = runThrough(gate, repeat(FAST, 1_000));
  assert.equal(inline.indexOf(true), 64);
  assert.ok(inline.slice(64).every(Boolean));
});

test('inline gate: what takes twice as long for a while stays, and would not have come in', () => {
  const gate = new InlineGate(FAST);
  assert.equal(count(runThrough(gate, repeat(INLINE_END_MICROS, 1_000))), 1_000);
  runThrough(gate, repeat(SLOW, 2));
  assert.ok(count(runThrough(gate, repeat(INLINE_END_MICROS, 1_000))) < 10);
});

test('inline gate: a mean a little above the end stops it, too', () => {
  const gate = new InlineGate(FAST);
  const times = [INLINE_END_MICROS * 4, FAST];
  const inline = runThrough(
    gate,
    Array.from({ length: 64 }, (_, index) => times[index % 2]!),
  );
  assert.ok(!gate.isInline);
  assert.ok(count(inline) < 16);
});

test('inline gate: what flaps is tried ever more rarely', () => {
  const gate = new InlineGate(FAST);
  const flaps = (): boolean[] => {
    const run: boolean[] = [];
    // Fast as long as it is elsewhere, slow as soon as it is back.
    for (let stays = 0, index = 0; index < 4_000; index += 1) {
      const isInline = gate.admits();
      stays = isInline ? stays + 1 : 0;
      if (isInline) gate.observe(stays === 1 && !gate.isInline ? FAST : SLOW);
      run.push(isInline);
    }
    return run;
  };
  const [early, late] = [count(flaps()), count(flaps())];
  assert.ok(late < early, `${early} inline of the first 4,000, then ${late}`);
});

test('inline gate: whatever the times, slow inferences inline are few', () => {
  const times = fc.array(fc.constantFrom(FAST, FAST, FAST, INLINE_END_MICROS * 1.5, SLOW), { maxLength: 2_000 });
  fc.assert(
    fc.property(times, (given) => {
      const gate = new InlineGate(FAST);
      const inline = runThrough(gate, given);
      // Never three slow ones one after the other.
      const slow = given.map((micros, index) => inline[index]! && micros > INLINE_END_MICROS);
      for (let index = 2; index < slow.length; index += 1) {
        assert.ok(!(slow[index]! && slow[index - 1]! && slow[index - 2]!));
      }
    }),
  );
});
