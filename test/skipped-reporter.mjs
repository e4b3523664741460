/** A reporter of Node's test runner that writes what was skipped and why, one reason after the other with the tests it kept from running. */
import { relative } from 'node:path';

/** @param {AsyncIterable<{ type: string, data: { name: string, file?: string, skip?: string | boolean } }>} events */
export default async function* skipped(events) {
  /** @type {Map<string, string[]>} */
  const tests = new Map();
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined || data.skip === false) continue;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason is given';
    const file = data.file === undefined ? '' : ` (${relative(process.cwd(), data.file)})`;
    tests.set(reason, [...(tests.get(reason) ?? []), `${data.name}${file}`]);
  }
  for (const [reason, names] of tests) {
    yield `Skipped, because ${reason}:\n${names.map((name) => `  ${name}\n`).join('')}`;
  }
}
