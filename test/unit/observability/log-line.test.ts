import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { callSite } from '#src/observability/call-site.js';
import { formatLine, formatTime } from '#src/observability/log-line.js';
import { covers } from '../../contract/covers.js';

describe('log line', () => {
  it('has the pattern of OVMS 2026.2.1', () => {
    covers('cli.log-pattern');
    const time = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
    const line = formatLine({ time, threadId: 7, logger: 'serving', level: 'info', site: 'main.ts:12', text: 'hello' });
    assert.equal(line, '[2026-01-02 03:04:05.006][7][serving][info][main.ts:12] hello\n');
  });

  it('shows local time, also when the same second comes again', () => {
    covers('cli.log-pattern');
    const time = new Date(2026, 10, 23, 13, 59, 59, 999).getTime();
    assert.equal(formatTime(time), '2026-11-23 13:59:59.999');
    assert.equal(formatTime(time + 1), '2026-11-23 14:00:00.000');
    assert.equal(formatTime(time - 99), '2026-11-23 13:59:59.900');
  });
});

describe('call site', () => {
  function here(): string {
    return callSite(here);
  }

  it('names the source and a line of the caller', () => {
    assert.match(here(), /^log-line\.test\.ts:[1-9]\d*$/);
  });

  it('does not change how other errors show their stack', () => {
    const settings = (): unknown[] => [Reflect.get(Error, 'prepareStackTrace'), Error.stackTraceLimit];
    const before = settings();
    here();
    assert.deepEqual(settings(), before);
    assert.match(new Error('x').stack ?? '', /log-line\.test\.js:\d+/);
  });

  it('leaves nearer callers out', () => {
    const inner = (): string => callSite(inner, 1);
    const between = (): string => inner();
    const [, line = ''] = between().split(':');
    const [, below = ''] = here().split(':');
    assert.equal(Number(below) - Number(line), 1);
  });

  it('is unknown when the function did not call', () => {
    assert.equal(callSite(formatLine), 'unknown:0');
  });
});
