import type { ServableState, StateErrorCode } from '../../servables/serving.js';

/** States of a pipeline definition; the names are printed (as OVMS 2026.2.1). */
export const PIPELINE_STATES = [
  'BEGIN',
  'RELOADING',
  'LOADING_PRECONDITION_FAILED',
  'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION',
  'AVAILABLE_REQUIRED_REVALIDATION',
  'AVAILABLE',
  'RETIRED',
] as const;
export type PipelineState = (typeof PIPELINE_STATES)[number];

/** What happens to a definition; the names are printed (as OVMS 2026.2.1). */
export const PIPELINE_EVENTS = [
  'ReloadEvent',
  'ValidationFailedEvent',
  'ValidationPassedEvent',
  'UsedModelChangedEvent',
  'RetireEvent',
] as const;
export type PipelineEvent = (typeof PIPELINE_EVENTS)[number];

type Transitions = Readonly<Partial<Record<PipelineEvent, PipelineState>>>;

const VALIDATED: Transitions = {
  ValidationPassedEvent: 'AVAILABLE',
  ValidationFailedEvent: 'LOADING_PRECONDITION_FAILED',
};
const LISTED: Transitions = { ReloadEvent: 'RELOADING', RetireEvent: 'RETIRED' };

const TRANSITIONS: Readonly<Record<PipelineState, Transitions>> = {
  // Here, other than in OVMS 2026.2.1, a definition may leave the file while it still waits for a model.
  BEGIN: { ...VALIDATED, RetireEvent: 'RETIRED' },
  RELOADING: { ...VALIDATED, RetireEvent: 'RETIRED' },
  AVAILABLE: { ...LISTED, UsedModelChangedEvent: 'AVAILABLE_REQUIRED_REVALIDATION' },
  AVAILABLE_REQUIRED_REVALIDATION: {
    ...LISTED,
    ...VALIDATED,
    UsedModelChangedEvent: 'AVAILABLE_REQUIRED_REVALIDATION',
  },
  LOADING_PRECONDITION_FAILED: {
    ...LISTED,
    UsedModelChangedEvent: 'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION',
  },
  LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION: {
    ...LISTED,
    ...VALIDATED,
    UsedModelChangedEvent: 'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION',
  },
  RETIRED: { ReloadEvent: 'RELOADING' },
};

/**
 * The state after an event.
 *
 * @throws Error for an event that cannot happen in this state: a fault of the server
 */
export function nextState(state: PipelineState, event: PipelineEvent): PipelineState {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new Error(`A pipeline in state ${state} cannot handle ${event}`);
  return next;
}

/** Whether a model it uses changed since it was validated. */
export function needsRevalidation(state: PipelineState): boolean {
  return state === 'AVAILABLE_REQUIRED_REVALIDATION' || state === 'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION';
}

/**
 * What clients are told.
 *
 * @param serves whether it has a graph to run. A pipeline that is reloaded keeps the one it had, and then it is available: here,
 * other than in OVMS 2026.2.1, nobody has to wait for it.
 */
export function reportedStatus(
  state: PipelineState,
  serves: boolean,
): { readonly state: ServableState; readonly errorCode: StateErrorCode } {
  switch (state) {
    case 'RELOADING':
      return { state: serves ? 'AVAILABLE' : 'LOADING', errorCode: 'OK' };
    case 'BEGIN':
    case 'LOADING_PRECONDITION_FAILED_REQUIRED_REVALIDATION':
      return { state: 'LOADING', errorCode: 'OK' };
    case 'LOADING_PRECONDITION_FAILED':
      return { state: 'LOADING', errorCode: 'FAILED_PRECONDITION' };
    case 'AVAILABLE':
    case 'AVAILABLE_REQUIRED_REVALIDATION':
      return { state: 'AVAILABLE', errorCode: 'OK' };
    case 'RETIRED':
      return { state: 'END', errorCode: 'OK' };
  }
}
