import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { ServingError } from '#src/errors.js';
import { loadNativeBinding } from '#src/native/load.js';
import { configureLogging } from '#src/observability/logger.js';
import { covers } from '../../contract/covers.js';
import { ALONE, answerOf, batchedRequest, ROWS, writeBatchedServables } from '../../helpers/batched-servables.js';
import { openInProcessServing, type InProcessServing } from '../../helpers/in-process-serving.js';
import { TestRepository } from '../../helpers/repository.js';

let served: InProcessServing;

before(async () => {
  configureLogging({ level: 'ERROR', path: null });
  const repository = new TestRepository();
  const { models, pipelines } = writeBatchedServables(repository);
  served = await openInProcessServing(repository.writeConfig(models, pipelines), false);
});

after(() => served.close());

interface Asked {
  readonly servable: string;
  readonly rows: number;
  readonly seed: number;
}

const ask = async ({ servable, rows, seed }: Asked, suffix = '', signal?: AbortSignal) =>
  answerOf(await served.predict(batchedRequest(servable, rows, seed, suffix), signal));

async function assertNothingIsLeft(): Promise<void> {
  await served.serving.idle();
  assert.equal(served.arena.leasedRegions, 0);
  assert.equal(loadNativeBinding().inFlight(), 0);
}

function joinedBytes(): number {
  return served.arena.copies.bytes('batch');
}

for (const servable of Object.keys(ROWS)) {
  test(`batching: 64 requests to ${servable} at once are answered as one by one, bit for bit`, async () => {
    covers('scheduling.batching');
    const asked = Array.from({ length: 64 }, (_, seed): Asked => {
      return { servable, rows: ROWS[servable]!.mayHaveMany ? 1 + (seed % 3) : 1, seed };
    });
    const before = joinedBytes();
    const together = await Promise.all(asked.map((each) => ask(each)));
    assert.ok(joinedBytes() > before, 'requests were joined');
    for (const [index, each] of asked.entries()) assert.deepEqual(together[index], await ask(each, ALONE));
    await assertNothingIsLeft();
  });
}

test('batching: the shards of one demultiplexer are joined without a copy', async () => {
  const before = joinedBytes();
  const asked = { servable: 'shards', rows: 8, seed: 1 };
  assert.deepEqual(await ask(asked), await ask(asked, ALONE));
  assert.equal(joinedBytes(), before);
});

test('batching: a request of more rows than a batch may have is answered by itself', async () => {
  const asked = { servable: 'any', rows: 20, seed: 3 };
  assert.deepEqual(await ask(asked), await ask(asked, ALONE));
});

test('batching: a model that takes one row a request still does', async () => {
  await assert.rejects(ask({ servable: 'dense', rows: 2, seed: 1 }), { code: 'INVALID_BATCH_SIZE' });
});

const servable = fc.constantFrom(...Object.keys(ROWS));
const request = fc
  .record({ servable, rows: fc.integer({ min: 1, max: 10 }), seed: fc.nat(1000), turnsBefore: fc.nat(2) })
  .map((each) => ({ ...each, rows: ROWS[each.servable]!.mayHaveMany ? each.rows : 1 }));
/** Turns of the event loop after which the client leaves; -1: it stays. */
const leaves = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(4) });

test('batching: any mix of requests that come and leave gets the answers of single requests', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(request, leaves), { minLength: 1, maxLength: 40 }), async (mix) => {
      const answers: Promise<unknown>[] = [];
      for (const [asked, turns] of mix) {
        for (let turn = 0; turn < asked.turnsBefore; turn += 1) await new Promise(setImmediate);
        answers.push(turns < 0 ? ask(asked) : askAndLeave(asked, turns));
      }
      const got = await Promise.all(answers);
      for (const [index, [asked]] of mix.entries()) {
        if (got[index] !== null) assert.deepEqual(got[index], await ask(asked, ALONE));
      }
      await assertNothingIsLeft();
    }),
    { numRuns: 60 },
  );
});

/** The answer, or `null` when the client was gone before it came. */
async function askAndLeave(asked: Asked, turns: number): Promise<unknown> {
  const abort = new AbortController();
  const answer = ask(asked, '', abort.signal).catch((error: unknown) => {
    assert.ok(error instanceof ServingError && error.code === 'REQUEST_CANCELLED', String(error));
    return null;
  });
  for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
  abort.abort(new ServingError('REQUEST_CANCELLED'));
  return answer;
}
