import { clientsFolder, jsonLines, testBuilt, type TestLine } from './client-program.js';

const FOLDER = 'conformance-go';
const client = [`${clientsFolder(FOLDER)}/client`, '-test.v=test2json'];

testBuilt('the Go client', FOLDER, ['go', 'tool', 'test2json', ...client], (stdout) =>
  resultsIn(jsonLines<GoEvent>(stdout)),
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
