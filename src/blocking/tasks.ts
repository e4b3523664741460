import { ServingError, type ErrorCode } from '../errors.js';
import type { CompileSpecification, ModelDescription } from '../native/binding.js';
import { fromNativeError } from '../native/errors.js';
import { loadNativeBinding } from '../native/load.js';

/** Work that would stop an event loop. Entry point of the workers of the blocking pool. */
export interface BlockingTask {
  readonly kind: 'compile';
  /** Entry of the process-wide registry, reserved and held by the control plane. */
  readonly modelId: number;
  readonly specification: CompileSpecification;
}

/** Errors lose their class between threads, so a fault crosses as its code and detail. */
export type BlockingResult<T> = { readonly value: T } | { readonly code: ErrorCode; readonly detail: string };

/** Reads and compiles a model; the description is that of the compiled model. */
export default function run({ modelId, specification }: BlockingTask): BlockingResult<ModelDescription> {
  try {
    return { value: compile(modelId, specification) };
  } catch (error) {
    const known = fromNativeError(error);
    if (!(known instanceof ServingError)) throw error;
    return { code: known.code, detail: known.detail };
  }
}

function compile(modelId: number, specification: CompileSpecification): ModelDescription {
  const binding = loadNativeBinding();
  binding.compileModel(modelId, specification);
  const model = binding.openModel(modelId);
  try {
    return binding.describeModel(model);
  } finally {
    binding.closeModel(model);
  }
}
