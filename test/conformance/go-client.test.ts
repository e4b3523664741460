import { test } from 'node:test';
import { TestRepository } from '../helpers/repository.js';
import { withServerProcess } from '../helpers/server.js';
import {
  addressesOf,
  clientsFolder,
  describeBuilt,
  jsonLines,
  reportTests,
  runProgram,
  whyNotBuilt,
  type TestLine,
} from './client-program.js';
import { writeConformanceRepository } from './repository.js';

const FOLDER = 'conformance-go';
const config = writeConformanceRepository(new TestRepository());
const missing = whyNotBuilt(FOLDER);

test(missing === false ? describeBuilt(FOLDER) : 'the Go client', { skip: missing }, (t) =>
  withServerProcess(['--config_path', config, '--file_system_poll_wait_seconds', '0'], async (server) => {
    const client = [`${clientsFolder(FOLDER)}/client`, '-test.v=test2json'];
    const { stdout, exitCode } = await runProgram('go', ['tool', 'test2json', ...client], addressesOf(server));
    await reportTests(t, 'the Go client', resultsIn(jsonLines<GoEvent>(stdout)), exitCode);
  }),
);

/** What `go tool test2json` makes of each line that a Go test prints. */
interface GoEvent {
  readonly Action: string;
  readonly Test?: string;
  readonly Output?: string;
}

const OUTCOMES: Readonly<Record<string, TestLine['outcome']>> = { pass: 'passed', fail: 'failed', skip: 'skipped' };

function resultsIn(events: readonly GoEvent[]): TestLine[] {
  const printed = new Map<string, string>();
  return events.flatMap(({ Action, Test, Output = '' }) => {
    if (Test === undefined) return [];
    printed.set(Test, (printed.get(Test) ?? '') + Output);
    const outcome = OUTCOMES[Action];
    return outcome === undefined ? [] : [{ test: Test, outcome, detail: printed.get(Test)! }];
  });
}
