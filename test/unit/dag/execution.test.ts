import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../contract/covers.js';
import fc from 'fast-check';

import { buildPipelineGraph } from '#src/dag/build-graph.js';
import { ServingError } from '#src/errors.js';
import { catalogue, DUMMY, node, pipeline, SUM } from './pipeline-fixture.js';
import type { PipelineGraph } from '#src/dag/graph.js';
import {
  arbitraryGraph,
  execute,
  Interpreter,
  SimulatedRunner,
  type Behaviour,
  type ExecutionResult,
} from './simulation.js';

const CALM: Behaviour = {
  failing: new Set(),
  immediate: new Set(),
  slots: Infinity,
  shards: 2,
  unanswerable: 0,
  choose: () => 0,
};

const DIAMOND = buildPipelineGraph(
  pipeline(
    [
      node('left', 'dummy', { b: ['request', 'image'] }),
      node('right', 'dummy', { b: ['request', 'image'] }),
      node('both', 'sum', { left: ['left', 'a'], right: ['right', 'a'] }, { sum: 'a' }),
    ],
    { out: ['both', 'a'] },
  ),
  catalogue({ dummy: DUMMY, sum: SUM }),
);

test('execution: nodes that need only the request start together, the rest when its last input is there', () => {
  covers('pipelines.ready-nodes');
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, CALM, ledger);
  const { result } = execute(DIAMOND, runner, ledger);
  assert.deepEqual(runner.started, [0, 1]);
  runner.step();
  assert.deepEqual(runner.started, [0, 1]);
  runner.step();
  assert.deepEqual(runner.started, [0, 1, 2]);
  runner.step();
  assert.deepEqual(
    result.outputs!.map((value) => value!.text),
    new Interpreter(DIAMOND, 2).outputs(),
  );
  result.outputs![0]!.release();
  assert.equal(ledger.live, 0);
});

test('execution: nodes that become ready together are announced together, before the first of them runs', () => {
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, { ...CALM, immediate: new Set([0, 1, 2]) }, ledger);
  const order: string[] = [];
  const [ready, start] = [runner.ready.bind(runner), runner.start.bind(runner)];
  runner.ready = (each) => {
    order.push(`ready ${each.name}`);
    ready(each);
  };
  runner.start = (each, ...rest) => {
    order.push(`start ${each.name}`);
    start(each, ...rest);
  };
  execute(DIAMOND, runner, ledger);
  assert.deepEqual(order, ['ready left', 'ready right', 'start left', 'start right', 'ready both', 'start both']);
});

test('execution: an input tensor is released when its last reader has ended, not before', () => {
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, CALM, ledger);
  execute(DIAMOND, runner, ledger);
  runner.step();
  assert.equal(ledger.live, 2, 'the request and one output');
  runner.step();
  assert.equal(ledger.live, 2, 'two outputs');
});

test('execution: the first error wins, running nodes drain before it is reported, nothing new starts', () => {
  covers('pipelines.first-error');
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, { ...CALM, failing: new Set([0, 1]) }, ledger);
  const { result } = execute(DIAMOND, runner, ledger);
  runner.step();
  assert.equal(result.ends, 0, 'the other branch still reads the request');
  runner.step();
  assert.equal(result.error!.detail, 'left');
  assert.deepEqual(runner.started, [0, 1]);
  assert.equal(ledger.live, 0);
});

test('execution: a node that waits for an infer request never starts once another has failed', () => {
  covers('pipelines.first-error');
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, { ...CALM, failing: new Set([0]), slots: 1 }, ledger);
  const { result } = execute(DIAMOND, runner, ledger);
  runner.step();
  assert.equal(result.error!.detail, 'left');
  assert.equal(runner.step(), false);
  assert.equal(ledger.live, 0);
});

test('execution: an exit that cannot be decided fails, and what its node gave is released', () => {
  const exits = [{ value: DIAMOND.nodes[0]!.outputs[0]!.value, element: 0, tests: [] }];
  const graph = { ...DIAMOND, nodes: DIAMOND.nodes.map((each) => (each.index === 0 ? { ...each, exits } : each)) };
  const ledger = { live: 0 };
  // The other branch still waits when the question fails.
  const runner = new SimulatedRunner(graph, { ...CALM, slots: 1, unanswerable: 1 }, ledger);
  const { result } = execute(graph, runner, ledger);
  runner.step();
  assert.equal(result.error!.code, 'CONDITION_ELEMENT_MISSING');
  assert.equal(result.drains, 1);
  assert.equal(ledger.live, 0);
});

test('execution: an abort withdraws what waits and reports after what runs has ended', () => {
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, { ...CALM, slots: 1 }, ledger);
  const { execution, result } = execute(DIAMOND, runner, ledger);
  execution.abort(new ServingError('DEADLINE_EXCEEDED'));
  assert.equal(result.ends, 0);
  runner.step();
  assert.equal(result.error!.code, 'DEADLINE_EXCEEDED');
  assert.equal(ledger.live, 0);
});

test('execution: an abort after the end changes nothing', () => {
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(DIAMOND, { ...CALM, immediate: new Set([0, 1, 2]) }, ledger);
  const { execution, result } = execute(DIAMOND, runner, ledger);
  execution.abort(new ServingError('REQUEST_CANCELLED'));
  assert.equal(result.ends, 1);
  assert.ok(result.outputs);
});

test('execution: a long chain of nodes that end at once needs no deep stack', (context) => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  context.after(() => (Error.stackTraceLimit = stackTraceLimit));
  const names = Array.from({ length: 300 }, (_, index) => `n${index}`);
  const chain = buildPipelineGraph(
    pipeline(
      names.map((name, index) =>
        node(name, 'dummy', { b: index === 0 ? ['request', 'image'] : [names[index - 1]!, 'a'] }),
      ),
      { out: [names.at(-1)!, 'a'] },
    ),
    catalogue({ dummy: DUMMY }),
  );
  const ledger = { live: 0 };
  const runner = new SimulatedRunner(chain, { ...CALM, immediate: new Set(names.keys()) }, ledger);
  const depths: number[] = [];
  const start = runner.start.bind(runner);
  runner.start = (...args) => {
    depths.push(new Error().stack!.split('\n').length);
    start(...args);
  };
  const { result } = execute(chain, runner, ledger);
  assert.equal(result.ends, 1);
  assert.equal(depths.length, names.length);
  assert.equal(new Set(depths).size, 1, 'every node starts at the same depth');
});

const BEHAVIOUR = fc.record({
  failing: fc.uniqueArray(fc.nat(59), { maxLength: 3 }),
  immediate: fc.uniqueArray(fc.nat(59), { maxLength: 60 }),
  slots: fc.integer({ min: 1, max: 4 }),
  shards: fc.integer({ min: 0, max: 3 }),
  unanswerable: fc.constantFrom(0, 0, 5, 50),
  choices: fc.infiniteStream(fc.nat()),
  abortAfter: fc.option(fc.nat(60)),
});
type RandomBehaviour = typeof BEHAVIOUR extends fc.Arbitrary<infer T> ? T : never;

/** Runs a graph to its end and checks what holds of every run. */
function runRandomly(
  graph: PipelineGraph,
  { failing, immediate, slots, shards, unanswerable, choices, abortAfter }: RandomBehaviour,
): { readonly runner: SimulatedRunner; readonly result: ExecutionResult; readonly texts: (string | null)[] | null } {
  const ledger = { live: 0 };
  const choose = (count: number): number => (count === 0 ? 0 : (choices.next().value as number) % count);
  const behaviour = { failing: new Set(failing), immediate: new Set(immediate), slots, shards, unanswerable, choose };
  const runner = new SimulatedRunner(graph, behaviour, ledger);
  const { execution, result } = execute(graph, runner, ledger);
  for (let steps = 0; runner.step(); steps += 1) {
    if (steps === abortAfter) execution.abort(new ServingError('REQUEST_CANCELLED'));
  }
  assert.equal(result.ends, 1, 'no hang, no second end');
  assert.equal(result.drains, 1, 'everything drains once');
  const sessions = [...runner.sessions, ...runner.skips];
  assert.equal(new Set(sessions).size, sessions.length, 'no session starts twice, none is started and skipped');
  const texts = result.outputs?.map((value) => value?.text ?? null) ?? null;
  for (const output of result.outputs ?? []) output?.release();
  assert.equal(ledger.live, 0, 'every value was released');
  return { runner, result, texts };
}

/** What the interpreter says of a graph, or the error it finds. */
function interpreted<T>(ask: () => T): T | ServingError {
  try {
    return ask();
  } catch (error) {
    assert.ok(error instanceof ServingError);
    return error;
  }
}

for (const [what, features] of [
  ['random graphs', { conditions: false, exits: false }],
  ['random graphs with conditions and select nodes', { conditions: true, exits: false }],
] as const) {
  test(`execution: ${what} give what a straightforward interpreter gives, or the first error, and never leak`, () => {
    fc.assert(
      fc.property(arbitraryGraph(60, features), BEHAVIOUR, (graph, behaviour) => {
        const { runner, result, texts } = runRandomly(graph, behaviour);
        const expected = interpreted(() => new Interpreter(graph, behaviour.shards).outputs());
        if (texts !== null) {
          assert.ok(!runner.started.some((index) => behaviour.failing.includes(index)), 'a failing node gives nothing');
          assert.deepEqual(texts, expected);
        } else if (
          expected instanceof ServingError &&
          behaviour.abortAfter === null &&
          behaviour.unanswerable === 0 &&
          behaviour.failing.length === 0
        ) {
          assert.equal(result.error!.code, expected.code);
        }
      }),
      { numRuns: 300 },
    );
  });
}

test('execution: random graphs with early exits answer nothing wrong, and everything where no exit is taken', () => {
  fc.assert(
    fc.property(arbitraryGraph(60, { conditions: true, exits: true }), BEHAVIOUR, (graph, behaviour) => {
      const { texts } = runRandomly(graph, behaviour);
      const interpreter = new Interpreter(graph, behaviour.shards);
      const expected = interpreted(() => interpreter.outputs());
      if (texts === null || expected instanceof ServingError) return;
      const exits = interpreted(() => interpreter.mayExit());
      texts.forEach((text, index) => {
        if (text !== null || exits === false) assert.equal(text, expected[index]);
      });
    }),
    { numRuns: 300 },
  );
});
