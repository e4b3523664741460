import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Board, PHASE } from '#src/nodes/js/board.js';

/** The two sides of one board. */
function sides(): { readonly owner: Board; readonly thread: Board } {
  const owner = Board.ofSlots(3);
  return { owner, thread: new Board(owner.buffer) };
}

test('board: either the thread begins or the owner withdraws', () => {
  const { owner, thread } = sides();
  assert.ok(thread.prepare(1));
  assert.ok(!owner.withdraw(1));
  assert.ok(owner.withdraw(2));
  assert.ok(!thread.prepare(2));
  assert.deepEqual(
    [0, 1, 2].map((slot) => owner.phase(slot)),
    [PHASE.waiting, PHASE.preparing, PHASE.withdrawn],
  );
  owner.reset(2);
  assert.ok(thread.prepare(2));
});

test('board: tells since when a slot executes, to the other side as well', () => {
  const { owner, thread } = sides();
  thread.execute(0);
  assert.equal(owner.phase(0), PHASE.executing);
  const first = owner.executedMs(0);
  assert.ok(first >= 0);
  assert.ok(owner.executedMs(0) >= first);
  thread.executed(0);
  assert.equal(owner.phase(0), PHASE.executed);
});
