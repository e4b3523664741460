import assert from 'node:assert/strict';
import { ROWS, type RowId } from './rows/index.js';

/**
 * Says which rows of the contract the test around the call proves; `docs/coverage.md` is made of these calls and of the properties
 * `covers: '<row>'` (or an array) in tables of cases, by reading the sources: ids are written out, never computed.
 */
export function covers(...rows: readonly RowId[]): void {
  for (const row of rows) assert.ok(Object.hasOwn(ROWS, row), `no row of the contract is called ${row}`);
}
