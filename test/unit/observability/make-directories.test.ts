import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectories } from '#src/observability/make-directories.js';

test('directories: all that are missing are made, and those that are there are left', () => {
  const directory = mkdtempSync(join(tmpdir(), 'directories-'));
  try {
    const path = join(directory, 'a', 'b', 'c');
    makeDirectories(path);
    makeDirectories(path);
    assert.ok(statSync(path).isDirectory());
    writeFileSync(join(path, 'file'), '');
    assert.throws(() => makeDirectories(join(path, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeDirectories(join(path, 'file', 'd')));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('directories: a file system that makes none says so at once', () => {
  assert.throws(() => makeDirectories('/proc/nothing/here'), { code: 'ENOENT' });
});
