import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { CompileSpecification } from '#src/native/binding.js';
import { covers } from '../contract/covers.js';
import { writeOperationModel } from '../fixtures/operations.js';
import { compile, INLINE_PROPERTIES, newSlab, temporaryDirectory, TestRequest } from './support.js';

const directory = temporaryDirectory();
/** Rows of four numbers; 4 MB, much more than a page. */
const ROWS = 1 << 18;
const LAST = [4 * ROWS - 4, 4 * ROWS - 3, 4 * ROWS - 2, 4 * ROWS - 1];

const SETTINGS: readonly CompileSpecification['properties'][] = [
  {},
  INLINE_PROPERTIES,
  { ENABLE_MMAP: true },
  { ENABLE_MMAP: 'YES', PERFORMANCE_HINT: 'THROUGHPUT' },
  { ENABLE_MMAP: 'NO' },
  { CACHE_DIR: `${directory}/cache` },
  { CACHE_DIR: `${directory}/cache`, ENABLE_MMAP: true },
];

/** A model that looks rows up in a table of weights, which OpenVINO reads where it lies. */
function writeTable(name: string): string {
  return writeOperationModel(directory, name, {
    type: 'Gather',
    version: 'opset8',
    attributes: { batch_dims: '0' },
    inputs: [
      { elementType: 'f32', shape: [ROWS, 4], constant: Array.from({ length: 4 * ROWS }, (_, index) => index) },
      { elementType: 'i32', shape: [1] },
      { elementType: 'i64', shape: [], constant: [0] },
    ],
  });
}

SETTINGS.forEach((properties, index) => {
  for (const [what, change] of [
    ['truncated', (file: string) => truncateSync(file)],
    ['overwritten', (file: string) => writeFileSync(file, new Uint8Array(16 * ROWS), { flag: 'r+' })],
  ] as const) {
    test(`weights: a model serves when their file is ${what}, with ${JSON.stringify(properties)}`, () => {
      covers('config.plugin-mmap');
      const path = writeTable(`table-${index}-${what}`);
      const model = compile(path, { properties });
      const slab = newSlab(4096);
      const request = new TestRequest(
        model,
        { slab: slab.id, offset: 0, shape: [1] },
        { slab: slab.id, offset: 1024, shape: [1, 4] },
      );
      change(path.replace(/xml$/, 'bin'));
      assert.ok(!readFileSync('/proc/self/maps', 'utf8').includes(`table-${index}-${what}`));
      new Int32Array(slab.bytes.buffer)[0] = ROWS - 1;
      for (let round = 0; round < 2; round += 1) {
        assert.deepEqual(request.infer(), { status: 'OK', text: '' });
        assert.deepEqual([...slab.floats.subarray(256, 260)], LAST);
      }
    });
  }
});
