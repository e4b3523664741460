import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerOf, Questions } from '#src/data-plane/questions.js';
import { ServingError } from '#src/errors.js';

test('answers find their questions in whichever order they come', async () => {
  const questions = new Questions<string>();
  const ids: number[] = [];
  const [first, second] = [questions.ask((id) => ids.push(id)), questions.ask((id) => ids.push(id))];
  questions.answered(ids[1]!, { value: 'two' });
  questions.answered(ids[0]!, { value: 'one' });
  assert.deepEqual([await first, await second], ['one', 'two']);
});

test('an error keeps its code and its detail on the way', async () => {
  const questions = new Questions<string>();
  const answer = await answerOf<string>(
    () => Promise.reject(new ServingError('FILE_INVALID', 'x.json')),
    () => assert.fail(),
  );
  const asked = questions.ask((id) => questions.answered(id, answer));
  await assert.rejects(asked, new ServingError('FILE_INVALID', 'x.json'));
});

test('a fault of the server is told where it happened and stays there', async () => {
  const bugs: unknown[] = [];
  const bug = new TypeError('secret');
  const answer = await answerOf(
    () => Promise.reject(bug),
    (error) => bugs.push(error),
  );
  assert.deepEqual(answer, { code: 'INTERNAL_ERROR', detail: '' });
  assert.deepEqual(bugs, [bug]);
});

test('questions that nobody will answer any more are refused', async () => {
  const questions = new Questions<string>();
  const asked = questions.ask(() => undefined);
  questions.abandon(new ServingError('SERVER_STOPPING'));
  await assert.rejects(asked, new ServingError('SERVER_STOPPING'));
});
