import assert from 'node:assert/strict';
import { test } from 'node:test';
import { covers } from '../../../contract/covers.js';

import {
  needsRevalidation,
  nextState,
  PIPELINE_EVENTS,
  PIPELINE_STATES,
  reportedStatus,
  type PipelineEvent,
  type PipelineState,
} from '#src/control/pipelines/pipeline-state.js';

const IMPOSSIBLE = null;
const FAILED_AGAIN = 'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION';

/** Columns in the order of {@link PIPELINE_EVENTS}: reload, failed, passed, model changed, retire. */
const TABLE: Readonly<Record<PipelineState, readonly (PipelineState | null)[]>> = {
  BEGIN: [IMPOSSIBLE, 'LOADING_PRECONDITION_FAILED', 'AVAILABLE', IMPOSSIBLE, 'RETIRED'],
  RELOADING: [IMPOSSIBLE, 'LOADING_PRECONDITION_FAILED', 'AVAILABLE', IMPOSSIBLE, 'RETIRED'],
  AVAILABLE: ['RELOADING', IMPOSSIBLE, IMPOSSIBLE, 'AVAILABLE_REQUIRED_REVALIDATION', 'RETIRED'],
  AVAILABLE_REQUIRED_REVALIDATION: [
    'RELOADING',
    'LOADING_PRECONDITION_FAILED',
    'AVAILABLE',
    'AVAILABLE_REQUIRED_REVALIDATION',
    'RETIRED',
  ],
  LOADING_PRECONDITION_FAILED: ['RELOADING', IMPOSSIBLE, IMPOSSIBLE, FAILED_AGAIN, 'RETIRED'],
  LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION: [
    'RELOADING',
    'LOADING_PRECONDITION_FAILED',
    'AVAILABLE',
    FAILED_AGAIN,
    'RETIRED',
  ],
  RETIRED: ['RELOADING', IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE, IMPOSSIBLE],
};

for (const state of PIPELINE_STATES) {
  PIPELINE_EVENTS.forEach((event: PipelineEvent, index) => {
    const expected = TABLE[state][index] ?? IMPOSSIBLE;
    test(`${state} after ${event}: ${expected ?? 'cannot happen'}`, () => {
      covers('pipelines.states');
      if (expected === null)
        assert.throws(() => nextState(state, event), new RegExp(`${state} cannot handle ${event}`));
      else assert.equal(nextState(state, event), expected);
    });
  });
}

test('only a model that changed behind a validated definition asks for revalidation', () => {
  assert.deepEqual(PIPELINE_STATES.filter(needsRevalidation), [FAILED_AGAIN, 'AVAILABLE_REQUIRED_REVALIDATION']);
});

const STATUSES: readonly (readonly [PipelineState, boolean, string])[] = [
  ['BEGIN', false, 'LOADING OK'],
  ['RELOADING', false, 'LOADING OK'],
  ['RELOADING', true, 'AVAILABLE OK'],
  ['LOADING_PRECONDITION_FAILED', false, 'LOADING FAILED_PRECONDITION'],
  [FAILED_AGAIN, false, 'LOADING OK'],
  ['AVAILABLE', true, 'AVAILABLE OK'],
  ['AVAILABLE_REQUIRED_REVALIDATION', true, 'AVAILABLE OK'],
  ['RETIRED', false, 'END OK'],
];
for (const [state, serves, expected] of STATUSES) {
  test(`${state} ${serves ? 'with' : 'without'} a graph is reported as ${expected}`, () => {
    covers('pipelines.reported-states');
    const { state: reported, errorCode } = reportedStatus(state, serves);
    assert.equal(`${reported} ${errorCode}`, expected);
  });
}
