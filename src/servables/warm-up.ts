import { ServingError } from '../errors.js';
import { ELEMENT_BYTES } from '../tensors/precision.js';
import { elementCount } from '../tensors/shape.js';
import { stringList } from '../tensors/strings.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { PredictRequest, RequestTensor } from './predict-request.js';
import { shown } from '../texts.js';

/** Which servable is asked before it serves, and with what. Plain data: it crosses threads. */
export interface WarmUpTask {
  readonly kind: 'model' | 'pipeline';
  readonly name: string;
  /** 1 for a pipeline without versions. */
  readonly version: number;
  /** Absolute path of recorded requests; `null`: zeros. */
  readonly recorded: string | null;
}

/** How it went. Plain data. */
export interface WarmUpOutcome {
  /** Requests that were answered. */
  readonly answered: number;
  /** Requests that were not. */
  readonly failed: number;
  /** Why the first of them failed, or why no more could be read; `null`: all went well. */
  readonly fault: string | null;
}

/** Recorded requests of a file that are run; what is beyond is left out (as TensorFlow Serving, which refuses the file). */
export const MOST_RECORDED = 1000;
/** Requests at once: as many as there are infer requests, but memory for no more than these. */
const MOST_AT_ONCE = 64;

/** Asks once; throws what a client would be told. */
export type Ask = (inputs: PredictRequest['inputs']) => Promise<void>;

/**
 * Asks with zeros in as many requests at once as there are infer requests, so that each of them, and each stream, has run.
 *
 * @param inputs of the servable.
 * @throws ServingError OUT_OF_MEMORY for inputs that no message could hold
 */
export async function warmUpWithZeros(
  inputs: readonly TensorInfo[],
  inferRequests: number,
  ask: Ask,
): Promise<WarmUpOutcome> {
  const tally = new Tally();
  const zeros = zeroInputs(inputs);
  const atOnce = Math.min(inferRequests, MOST_AT_ONCE);
  await Promise.all(Array.from({ length: atOnce }, () => tally.count(ask(zeros))));
  return tally.outcome();
}

/**
 * Asks with one recorded request after the other. What was read before a fault of the file has been asked.
 *
 * @param servable whose name each request must have; versions are not looked at: files are copied from one to the next.
 * @param requests one a pull; throws what is wrong with the file.
 */
export async function warmUpWithRecorded(
  servable: string,
  requests: AsyncIterable<PredictRequest | ServingError>,
  ask: Ask,
  signal: AbortSignal,
): Promise<WarmUpOutcome> {
  const tally = new Tally();
  let number = 0;
  try {
    for await (const request of requests) {
      if (signal.aborted) throw signal.reason;
      number += 1;
      if (number > MOST_RECORDED) return tally.outcome(`only the first ${MOST_RECORDED} recorded requests are used`);
      await tally.count(askRecorded(servable, request, ask), `request ${number}: `);
    }
  } catch (error) {
    return tally.outcome(error instanceof Error ? error.message : String(error));
  }
  return tally.outcome();
}

async function askRecorded(servable: string, request: PredictRequest | ServingError, ask: Ask): Promise<void> {
  if (request instanceof ServingError) throw request;
  if (request.servable !== servable) {
    const received = shown(request.servable);
    throw new ServingError(
      'MODEL_NAME_MISSING',
      `expected a request to ${shown(servable)}, received one to ${received}`,
    );
  }
  await ask(request.inputs);
}

/**
 * Zeros, or empty strings, of the smallest shapes that the inputs take, 1 at least where a dimension is open.
 *
 * @throws ServingError OUT_OF_MEMORY
 */
export function zeroInputs(inputs: readonly TensorInfo[]): PredictRequest['inputs'] {
  const zeros = new Map<string, RequestTensor>();
  for (const { name, precision, shape: declared } of inputs) {
    const shape = declared.map(({ min, max }) => (min === max ? min : Math.max(min, 1)));
    const count = elementCount(shape);
    const bytes = (count ?? Infinity) * ELEMENT_BYTES[precision];
    if (bytes > MOST_ZERO_BYTES) throw new ServingError('OUT_OF_MEMORY', `input ${name} takes ${bytes} bytes`);
    const content: RequestTensor['content'] =
      precision === 'STRING'
        ? { kind: 'strings', strings: stringList(Array.from({ length: count ?? 0 }, () => '')) }
        : { kind: 'bytes', bytes: new Uint8Array(bytes) };
    zeros.set(name, { precision, precisionText: precision, shape, content });
  }
  return zeros;
}

/** No larger one can be sent by gRPC either. */
const MOST_ZERO_BYTES = 2 ** 30;

class Tally {
  #answered = 0;
  #failed = 0;
  #fault: string | null = null;

  async count(asked: Promise<void>, place = ''): Promise<void> {
    try {
      await asked;
      this.#answered += 1;
    } catch (error) {
      this.#failed += 1;
      this.#fault ??= `${place}${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** @param end why there were no more requests. */
  outcome(end: string | null = null): WarmUpOutcome {
    return { answered: this.#answered, failed: this.#failed, fault: this.#fault ?? end };
  }
}
