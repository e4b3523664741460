import { ServingError } from '../../errors.js';
import {
  SEQUENCE_CONTROL,
  type SequenceRequest,
  type Sequences,
  type SequenceTurn,
} from '../../inference/inference.js';
import { isEnabled, log } from '../../observability/logger.js';
import { abortSignalOf, type Cancellation } from '../cancellation.js';
import { wholeTurn } from './whole-turn.js';

/** A stateful model with what the log calls it by. */
export interface StatefulModel {
  readonly name: string;
  readonly version: number;
  readonly sequences: Sequences;
}

/**
 * Runs a request in its turn of its sequence. Only what ends well changes the sequence: after a failure or a cancellation it is as before
 * the request. A request whose client has left by now does not begin.
 *
 * @throws ServingError SEQUENCE_*, the reason of the signal, or what `run` throws
 */
export async function runInSequence<T>(
  model: StatefulModel,
  request: SequenceRequest,
  signal: Cancellation,
  run: (turn: SequenceTurn) => Promise<T>,
): Promise<T> {
  // A client that left in the same breath as it asked is known to be gone then.
  await wholeTurn();
  const turn = await enter(model, request, signal);
  const abandon = (): void => turn.abandon();
  signal.addEventListener('abort', abandon);
  let committed = false;
  try {
    const result = await run(turn);
    committed = !signal.aborted;
    return result;
  } finally {
    signal.removeEventListener('abort', abandon);
    turn.end(committed);
    logEnd(model, request, turn, committed);
  }
}

async function enter(model: StatefulModel, request: SequenceRequest, signal: Cancellation): Promise<SequenceTurn> {
  const { sequenceId, control } = request;
  const isStart = control === SEQUENCE_CONTROL.START;
  const seeksId = isStart && sequenceId === 0n;
  if (seeksId) debug(() => 'No sequence id has been provided on SEQUENCE_START. Seeking unique sequence id...');
  try {
    const turn = await model.sequences.enter(request, abortSignalOf(signal));
    if (seeksId) debug(() => `Found unique sequence id: ${turn.sequenceId}`);
    if (isStart) debug(() => `${titleOf(model)} Adding new sequence with ID: ${turn.sequenceId}`);
    return turn;
  } catch (error) {
    if (error instanceof ServingError) debug(() => `${titleOf(model)} ${error.message} (ID: ${sequenceId})`);
    throw error;
  }
}

/** As OVMS 2026.2.1, which says "versions" here. */
function logEnd(
  { name, version }: StatefulModel,
  { control }: SequenceRequest,
  turn: SequenceTurn,
  committed: boolean,
) {
  const removed = control === (committed ? SEQUENCE_CONTROL.END : SEQUENCE_CONTROL.START);
  if (removed) debug(() => `Model ${name} versions ${version} Removing sequence with ID: ${turn.sequenceId}`);
}

function titleOf({ name, version }: StatefulModel): string {
  return `Model ${name} version ${version}`;
}

function debug(text: () => string): void {
  if (isEnabled('DEBUG')) log.sequenceManager.debug(text());
}
