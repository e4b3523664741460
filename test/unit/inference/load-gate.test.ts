import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadGate } from '#src/inference/load-gate.js';

const repeat = (times: number, each: () => void): void => {
  for (let time = 0; time < times; time += 1) each();
};

test('load gate: a worker is crowded when eight had to wait, whatever models are idle meanwhile', () => {
  const gate = new LoadGate();
  repeat(7, () => {
    gate.hasToWait();
    gate.isAlone();
  });
  assert.equal(gate.isCrowded, false);
  gate.hasToWait();
  assert.equal(gate.isCrowded, true);
});

test('load gate: eight that were alone between two that had to wait are the end of a crowd', () => {
  const gate = new LoadGate();
  repeat(7, () => gate.hasToWait());
  repeat(8, () => gate.isAlone());
  repeat(7, () => gate.hasToWait());
  assert.equal(gate.isCrowded, false);
  gate.hasToWait();
  repeat(7, () => gate.isAlone());
  assert.equal(gate.isCrowded, true);
  gate.isAlone();
  assert.equal(gate.isCrowded, false);
});

test('load gate: a crowd lasts as long as some run side by side', () => {
  const gate = new LoadGate();
  repeat(8, () => gate.hasToWait());
  repeat(100, () => {
    repeat(7, () => gate.isAlone());
    gate.isOneOfSeveral();
  });
  assert.equal(gate.isCrowded, true);
});
