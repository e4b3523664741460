import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServingError } from '#src/errors.js';
import type { SequenceRequest, Sequences } from '#src/inference/inference.js';
import { runInSequence } from '#src/servables/stateful/run-in-sequence.js';

const REQUEST: SequenceRequest = { sequenceId: 0n, control: 1 };
const { signal } = new AbortController();

/** Gives every request the turn of sequence 5 at once, and notes how turns end. */
class FakeSequences implements Sequences {
  readonly ends: boolean[] = [];
  abandoned = 0;

  enter(_: SequenceRequest, signal: AbortSignal): ReturnType<Sequences['enter']> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return Promise.resolve({
      sequenceId: 5n,
      abandon: () => void (this.abandoned += 1),
      end: (commit) => void this.ends.push(commit),
    });
  }
}

test('a request in its turn: what ends well is committed once, with its turn known', async () => {
  const sequences = new FakeSequences();
  const model = { name: 'm', version: 1, sequences };
  const id = await runInSequence(model, REQUEST, signal, (turn) => {
    assert.deepEqual(sequences.ends, []);
    return Promise.resolve(turn.sequenceId);
  });
  assert.equal(id, 5n);
  assert.deepEqual(sequences.ends, [true]);
});

test('a request in its turn: what fails is not committed, and gives way to the next', async () => {
  const sequences = new FakeSequences();
  const failure = new ServingError('INFERENCE_FAILED');
  const model = { name: 'm', version: 1, sequences };
  await assert.rejects(
    runInSequence(model, REQUEST, signal, () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(sequences.ends, [false]);
});

test('a request in its turn: one whose client leaves meanwhile gives up its sequence at once, and is not committed', async () => {
  const sequences = new FakeSequences();
  const client = new AbortController();
  const model = { name: 'm', version: 1, sequences };
  await runInSequence(model, REQUEST, client.signal, () => {
    client.abort(new ServingError('REQUEST_CANCELLED'));
    assert.equal(sequences.abandoned, 1);
    assert.deepEqual(sequences.ends, []);
    return Promise.resolve();
  });
  assert.deepEqual(sequences.ends, [false]);
});

test('a request in its turn: one that is not let in does not run', async () => {
  const refusal = new ServingError('SEQUENCE_LIMIT');
  const model = { name: 'm', version: 1, sequences: { enter: () => Promise.reject(refusal) } };
  await assert.rejects(
    runInSequence(model, REQUEST, signal, () => assert.fail('it ran')),
    refusal,
  );
});

test('a request in its turn: one whose client leaves in the same breath does not begin', async () => {
  const sequences = new FakeSequences();
  const client = new AbortController();
  const reason = new ServingError('REQUEST_CANCELLED');
  const request = runInSequence({ name: 'm', version: 1, sequences }, REQUEST, client.signal, () =>
    assert.fail('it ran'),
  );
  // A reading of this turn of the loop that is still to come.
  setImmediate(() => client.abort(reason));
  await assert.rejects(request, reason);
  assert.deepEqual(sequences.ends, []);
});
