import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';

import { Watcher, type Timer } from '#src/control/watcher.js';

/** A timer whose time passes when the test says so. */
class ManualTimer implements Timer {
  readonly delays: number[] = [];
  unreferenced = 0;
  #pending: (() => void) | null = null;

  set(call: () => void, milliseconds: number): NodeJS.Timeout {
    this.delays.push(milliseconds);
    this.#pending = call;
    const timeout = { unref: () => ((this.unreferenced += 1), timeout) } as unknown as NodeJS.Timeout;
    return timeout;
  }

  clear(): void {
    this.#pending = null;
  }

  /** @returns whether somebody was waiting. */
  fire(): boolean {
    const call = this.#pending;
    this.#pending = null;
    call?.();
    return call !== null;
  }
}

/** A look that ends when the test says so. */
class ManualLook {
  begun = 0;
  #end: () => void = () => undefined;

  readonly look = (): Promise<void> => {
    this.begun += 1;
    return new Promise((resolve) => (this.#end = resolve));
  };

  async end(): Promise<void> {
    this.#end();
    await new Promise(setImmediate);
  }
}

test('a look begins an interval after the one before has ended: they never overlap', async () => {
  const [timer, look] = [new ManualTimer(), new ManualLook()];
  assert.equal(new Watcher(look.look, 2, timer).start(), true);
  assert.equal(look.begun, 0);
  assert.equal(timer.fire(), true);
  assert.equal(timer.fire(), false);
  await look.end();
  assert.equal(timer.fire(), true);
  assert.deepEqual([look.begun, timer.delays], [2, [2000, 2000]]);
});

test('its timer keeps no process alive', () => {
  const timer = new ManualTimer();
  new Watcher(new ManualLook().look, 1, timer).start();
  assert.equal(timer.unreferenced, 1);
});

test('an interval longer than a timer can wait counts as the longest', () => {
  const timer = new ManualTimer();
  new Watcher(new ManualLook().look, 2 ** 32 - 1, timer).start();
  assert.deepEqual(timer.delays, [2 ** 31 - 1]);
});

test('an interval of 0 watches nothing', () => {
  covers('life-cycle.watch-off');
  const timer = new ManualTimer();
  assert.equal(new Watcher(new ManualLook().look, 0, timer).start(), false);
  assert.equal(timer.fire(), false);
});

test('no look begins after the stop: not the one that was due, and none behind the one that runs', async () => {
  const [timer, look] = [new ManualTimer(), new ManualLook()];
  const waiting = new Watcher(look.look, 1, timer);
  waiting.start();
  waiting.stop();
  assert.equal(timer.fire(), false);
  const running = new Watcher(look.look, 1, timer);
  running.start();
  timer.fire();
  running.stop();
  await look.end();
  assert.equal(timer.fire(), false);
  assert.equal(look.begun, 1);
});
