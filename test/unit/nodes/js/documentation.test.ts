import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { jsNodeFixture } from '../../../helpers/js-node.js';

test('the example of the documentation is the one that is tested', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../../../docs/js-nodes.md', import.meta.url)), 'utf8');
  for (const name of ['best-label.ts', 'best-of.ts']) {
    assert.ok(text.includes(`\`\`\`ts\n${readFileSync(jsNodeFixture(name), 'utf8')}\`\`\``), name);
  }
});
