import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TurnBudget } from '#src/inference/turn-budget.js';

/** As whoever has work does it. */
function run(budget: TurnBudget, work: () => void): void {
  if (budget.admits()) work();
  else budget.defer(work);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('turn budget: what fits into a turn runs at once', () => {
  const budget = new TurnBudget();
  let ran = 0;
  for (let index = 0; index < 10; index += 1) {
    run(budget, () => {
      ran += 1;
      budget.spend(10);
    });
  }
  assert.equal(ran, 10);
});

test('turn budget: what does not fit waits, in its order, and the loop turns in between', async () => {
  const budget = new TurnBudget();
  const order: number[] = [];
  const turns: number[] = [];
  for (let index = 0; index < 10; index += 1) {
    run(budget, () => {
      order.push(index);
      budget.spend(1_000);
    });
  }
  while (order.length < 10) {
    turns.push(order.length);
    await nextTurn();
  }
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(turns, [2, 4, 6, 8]);
});

test('turn budget: work that brings more work does not hold the turn', async () => {
  const budget = new TurnBudget();
  let ran = 0;
  const again = (): void => {
    ran += 1;
    budget.spend(500);
    if (ran < 10_000) run(budget, again);
  };
  run(budget, again);
  assert.ok(ran < 10_000);
  let turns = 0;
  for (; ran < 10_000; turns += 1) await nextTurn();
  assert.ok(turns > 1_000);
});
