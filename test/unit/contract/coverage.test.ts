import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProofs } from '../../contract/proofs.js';
import { CHAPTERS, ROWS } from '../../contract/rows/index.js';

const proofs = findProofs(new URL('../../../../test/', import.meta.url));

test('contract: every row that is supported or different by choice is proved by a test', () => {
  const unproved = Object.entries(ROWS as Readonly<Record<string, { state: string }>>)
    .filter(([id, { state }]) => state !== 'unsupported' && !proofs.has(id))
    .map(([id]) => id);
  assert.deepEqual(unproved, []);
});

test('contract: what tests cover are rows of the contract', () => {
  assert.deepEqual(
    [...proofs.keys()].filter((id) => !Object.hasOwn(ROWS, id)),
    [],
  );
});

test('contract: no id stands for two rows', () => {
  const rows = CHAPTERS.reduce((sum, chapter) => sum + Object.keys(chapter.rows).length, 0);
  assert.equal(Object.keys(ROWS).length, rows);
});
