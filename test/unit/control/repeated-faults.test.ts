import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import { RepeatedFaults } from '#src/control/repeated-faults.js';

test('a fault that repeats is printed the first time and whenever its count has doubled', () => {
  covers('life-cycle.retry');
  const faults = new RepeatedFaults();
  const printed = Array.from({ length: 16 }, () => faults.line('m', 'bad')).filter((line) => line !== null);
  assert.deepEqual(printed, ['bad', 'bad (2 times)', 'bad (4 times)', 'bad (8 times)', 'bad (16 times)']);
});

test('another text, another place, and a fault after a success are new', () => {
  const faults = new RepeatedFaults();
  assert.equal(faults.line('m', 'bad'), 'bad');
  assert.equal(faults.line('n', 'bad'), 'bad');
  assert.equal(faults.line('m', 'worse'), 'worse');
  faults.forget('m');
  assert.equal(faults.line('m', 'worse'), 'worse');
});
