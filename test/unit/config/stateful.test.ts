import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '#src/config/command-line.js';
import { machine } from '#src/config/machine.js';
import { isInvalid } from '#src/config/settings.js';
import { covers } from '../../contract/covers.js';
import { goodModel, loadModel } from './fake-files.js';

const SUB_FLAGS = { idle_sequence_cleanup: true, low_latency_transformation: true, max_sequence_number: 1 };

for (const [flag, value] of Object.entries(SUB_FLAGS)) {
  test(`stateful settings: ${flag} needs stateful, in the file and on the command line`, async () => {
    covers('stateful.sub_flags');
    const { model } = await loadModel({ [flag]: value });
    assert.ok(isInvalid(model));
    assert.equal(model.error.code, 'CONFIG_VALUE_INVALID');
    assert.ok(!isInvalid((await loadModel({ stateful: true, [flag]: value })).model));
    const argv = ['--model_name', 'm', '--model_path', '/m', '--port', '1', `--${flag}=${String(value)}`];
    assert.equal(parseCommandLine(argv, {}, machine()).kind, 'usage-error');
    assert.equal(parseCommandLine([...argv, '--stateful'], {}, machine()).kind, 'serve');
  });
}

test('stateful settings: five hundred sequences, cleaned every five minutes, unless said otherwise', async () => {
  covers('stateful.max_sequence_number', 'stateful.idle_sequence_cleanup', 'stateful.cleaner_interval');
  assert.deepEqual((await goodModel({ stateful: true })).stateful, {
    idleSequenceCleanup: true,
    lowLatencyTransformation: false,
    maxSequenceNumber: 500,
  });
  const minutes = (...flags: readonly string[]): unknown => {
    const command = parseCommandLine(['--config_path', '/c', '--port', '1', ...flags], {}, machine());
    return command.kind === 'serve' ? command.settings.sequenceCleanerIntervalMinutes : command;
  };
  assert.deepEqual([minutes(), minutes('--sequence_cleaner_poll_wait_minutes', '7')], [5, 7]);
});
