import { createHash } from 'node:crypto';

import type { ModelDescription, NativeBinding, TrialAnswer, TrialQuestion, TrialTensor } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import type { Shape } from '../tensors/shape.js';

/** Floating point from -1 to 1, and from 0 to 255. */
const SEEDS = [0, 1] as const;
/** A model that does not answer twice alike by itself cannot be compared. */
export const REFERENCE_REQUESTS = 2;

/** What a trial compares with: a compiled model, and the shapes it is asked in. */
export interface TrialReference {
  readonly modelId: number;
  /** Its inputs, in port order. */
  readonly shapes: readonly Shape[];
}

/** A model that is tried, and how many infer requests it is asked at once. */
export interface TriedModel {
  readonly modelId: number;
  readonly requests: number;
}

/**
 * Asks two compiled models the same seeded numbers in tensors of the same shapes, and compares their answers bit for bit: element
 * types, shapes and bytes, and whether they fail. A model of several streams is asked by several infer requests at once. Blocks.
 *
 * @returns the first difference, as text: expected, received, where. `null`: there is none, or the reference does not answer itself alike,
 * or there are no seeded numbers for an input's element type.
 */
export function compareAnswers({ modelId, shapes }: TrialReference, tried: TriedModel): string | null {
  const reference = new Asked(modelId);
  const compared = new Asked(tried.modelId);
  try {
    for (const seed of SEEDS) {
      const expected = reference.answers({ shapes, seed, requests: REFERENCE_REQUESTS });
      if (expected.length !== 1) return null;
      for (const received of compared.answers({ shapes, seed, requests: tried.requests })) {
        const difference = differenceOf(expected[0]!, received);
        if (difference !== null) return difference;
      }
    }
    return null;
  } finally {
    reference.close();
    compared.close();
  }
}

/**
 * A digest of a model's answers to the questions of {@link compareAnswers}: two models whose digests are equal answer alike. Blocks.
 *
 * @returns `null` where the answers of the infer requests differ, or an input has no seeded numbers.
 */
export function digestAnswers({ modelId, shapes }: TrialReference, requests: number): string | null {
  const asked = new Asked(modelId);
  const hash = createHash('sha256');
  try {
    for (const seed of SEEDS) {
      const [answer, another] = asked.answers({ shapes, seed, requests });
      if (answer === undefined || another !== undefined) return null;
      hash.update(answer.fault === '' ? 'answer' : 'fault');
      for (const { elementType, shape, bytes } of answer.outputs) {
        hash.update(JSON.stringify([elementType, shape])).update(bytes);
      }
    }
    return hash.digest('hex');
  } finally {
    asked.close();
  }
}

/**
 * Shapes for a trial of a model.
 *
 * @param open size of dimensions that are open, as far as their bounds allow.
 * @returns `null` when the rank of an input is not known.
 */
export function trialShapes({ inputs }: ModelDescription, open = 1): Shape[] | null {
  const shapes = inputs.map(({ dimensions }) =>
    dimensions === null ? null : dimensions.map(([min, max]) => Math.max(min, max === -1 ? open : Math.min(open, max))),
  );
  return shapes.includes(null) ? null : (shapes as Shape[]);
}

/** A model that is open in this thread's environment. */
class Asked {
  readonly #binding: NativeBinding = loadNativeBinding();
  readonly #model;

  constructor(modelId: number) {
    this.#model = this.#binding.openModel(modelId);
  }

  /** None where an input has no seeded numbers. */
  answers(question: TrialQuestion): readonly TrialAnswer[] {
    try {
      return this.#binding.tryModel(this.#model, question);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'BINDING_FAILED') return [];
      throw error;
    }
  }

  close(): void {
    this.#binding.closeModel(this.#model);
  }
}

/** Texts of faults may name places and times, so only that there is one counts. */
function differenceOf(expected: TrialAnswer, received: TrialAnswer): string | null {
  if (expected.fault !== '' && received.fault !== '') return null;
  if (expected.fault !== '') return `expected the fault "${expected.fault}", received an answer`;
  if (received.fault !== '') return `expected an answer, received the fault "${received.fault}"`;
  for (const [index, output] of expected.outputs.entries()) {
    const difference = tensorDifference(output, received.outputs[index]);
    if (difference !== null) return `output ${index}: ${difference}`;
  }
  return null;
}

function tensorDifference(expected: TrialTensor, received: TrialTensor | undefined): string | null {
  const [type, otherType] = [typeOf(expected), received === undefined ? 'nothing' : typeOf(received)];
  if (type !== otherType) return `expected ${type}, received ${otherType}`;
  const [bytes, others] = [expected.bytes, received!.bytes];
  if (Buffer.compare(bytes, others) === 0) return null;
  const first = bytes.findIndex((byte, index) => byte !== others[index]);
  const place = first - (first % 4);
  return `expected the bytes ${hex(bytes, place)} at byte ${place} of ${bytes.byteLength}, received ${hex(others, place)}`;
}

function typeOf({ elementType, shape }: TrialTensor): string {
  return `${elementType} [${shape.join(',')}]`;
}

function hex(bytes: Uint8Array, start: number): string {
  return Buffer.from(bytes.subarray(start, start + 4)).toString('hex');
}
