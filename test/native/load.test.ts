import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import { NATIVE_STATUS } from '#src/native/binding.js';
import { fromNativeError, fromNativeStatus } from '#src/native/errors.js';
import { requireAddon } from '#src/native/load.js';
import { binding, temporaryDirectory } from './support.js';

const directory = temporaryDirectory();

test('load: a missing addon says where it was expected and what to run', () => {
  const file = join(directory, 'missing.node');
  assert.throws(() => requireAddon(file), {
    code: 'NATIVE_BINDING_MISSING',
    detail: `expected the addon at ${file}, found no file: run \`npm run native\``,
  });
});

test('load: a file that is no addon says so', () => {
  const file = join(directory, 'text.node');
  writeFileSync(file, 'not a library');
  assert.throws(() => requireAddon(file), {
    code: 'NATIVE_BINDING_MISSING',
    message: /found a file that does not load/,
  });
});

test('errors: every status but OK has an entry in the catalogue, with the native text as detail', () => {
  for (const [status, name] of NATIVE_STATUS.entries()) {
    if (name === 'OK') continue;
    const error = fromNativeStatus(status, 'the vines are dry');
    assert.equal(error.detail, 'the vines are dry');
    assert.match(String(error.cause), new RegExp(name));
  }
  assert.throws(() => fromNativeStatus(0, ''));
  assert.equal(fromNativeStatus(NATIVE_STATUS.indexOf('CANCELLED'), '').code, 'REQUEST_CANCELLED');
  assert.equal(fromNativeStatus(999, 'unknown').code, 'INTERNAL_ERROR');
});

test('errors: a thrown fault becomes a ServingError, a wrong argument stays a TypeError', () => {
  const fault = caught(() => binding.openModel(4_000_000_000));
  const translated = fromNativeError(fault) as ServingError;
  assert.ok(translated instanceof ServingError);
  assert.deepEqual([translated.code, translated.cause], ['INTERNAL_ERROR', fault]);
  const misuse = caught(() => binding.openModel(-1));
  assert.equal(fromNativeError(misuse), misuse);
  const system = caught(() => binding.closeDescriptor(2 ** 31 - 1));
  assert.equal(fromNativeError(system), system);
});

function caught(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return assert.fail('expected a throw');
}
