import assert from 'node:assert/strict';
import { test } from 'node:test';

import { addon, element } from '#src/openvino/index.js';

test('element: each type is its own name, as programs for openvino-node compare them', () => {
  const names = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64'];
  assert.deepEqual(
    Object.entries(addon.element),
    Object.entries(Object.fromEntries(names.map((name) => [name, name]))),
  );
  assert.equal(addon.element, element);
});

test('element: strings are absent, and nobody adds types', () => {
  assert.equal('string' in element, false);
  assert.ok(Object.isFrozen(element));
});
