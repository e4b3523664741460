import { move, transferableSymbol, valueSymbol } from 'piscina';

import { ServingError, type ErrorCode } from '../errors.js';
import { decodePredictBody, transferList, type DecodedPredictBody } from '../frontends/rest/predict-json.js';
import type { CompileSpecification, ModelDescription } from '../native/binding.js';
import { fromNativeError } from '../native/errors.js';
import { loadNativeBinding } from '../native/load.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** Work that would stop an event loop. */
export type BlockingTask = CompileTask | DecodeTask;

/** Reads and compiles a model; the result is the {@link ModelDescription} of the compiled model. */
export interface CompileTask {
  readonly kind: 'compile';
  /** Entry of the process-wide registry, reserved and held by the control plane. */
  readonly modelId: number;
  readonly specification: CompileSpecification;
}

/** Decodes a large JSON body; the result is a {@link DecodedPredictBody}, whose buffers are moved, not copied. */
export interface DecodeTask {
  readonly kind: 'decode-predict-body';
  readonly body: Uint8Array;
  readonly inputs: readonly TensorInfo[];
}

/** Errors lose their class between threads, so a fault crosses as its code and detail. */
export type BlockingResult<T> = { readonly value: T } | { readonly code: ErrorCode; readonly detail: string };

/** Entry point of the workers of the blocking pool. */
export default function run(task: BlockingTask): unknown {
  try {
    return task.kind === 'compile' ? { value: compile(task) } : decode(task);
  } catch (error) {
    const known = fromNativeError(error);
    if (!(known instanceof ServingError)) throw error;
    return { code: known.code, detail: known.detail };
  }
}

function compile({ modelId, specification }: CompileTask): ModelDescription {
  const binding = loadNativeBinding();
  binding.compileModel(modelId, specification);
  const model = binding.openModel(modelId);
  try {
    return binding.describeModel(model);
  } finally {
    binding.closeModel(model);
  }
}

/** The tensors are moved to the asking thread: a picture's worth of numbers need not be copied again. */
function decode({ body, inputs }: DecodeTask): unknown {
  const decoded = decodePredictBody(body, inputs);
  const value: BlockingResult<DecodedPredictBody> = { value: decoded };
  return move({ [transferableSymbol]: transferList(decoded), [valueSymbol]: value });
}
