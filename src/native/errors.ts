import { type ErrorCode, ServingError } from '../errors.js';
import { NATIVE_STATUS, type NativeStatusName } from './binding.js';

/** The door by which native faults enter the catalogue. `null`: not a fault, so it never gets here. */
const CODES: Readonly<Record<NativeStatusName, ErrorCode | null>> = {
  OK: null,
  BINDING_FAILED: 'TENSOR_BINDING_FAILED',
  INFERENCE_FAILED: 'INFERENCE_FAILED',
  CANCELLED: 'REQUEST_CANCELLED',
  OUTPUT_FAILED: 'OUTPUT_RETRIEVAL_FAILED',
  READ_FAILED: 'MODEL_READ_FAILED',
  RESHAPE_FAILED: 'MODEL_RESHAPE_FAILED',
  COMPILE_FAILED: 'MODEL_COMPILE_FAILED',
  LAYOUT_FAILED: 'MODEL_LAYOUT_INVALID',
  EXTENSION_FAILED: 'INTERNAL_ERROR',
  NOT_COMPILED: 'INTERNAL_ERROR',
  INTERNAL: 'INTERNAL_ERROR',
  LIBRARY_FAILED: 'PIPELINE_LIBRARY_INVALID',
  INITIALIZE_FAILED: 'CUSTOM_NODE_INITIALIZE_FAILED',
  METADATA_FAILED: 'CUSTOM_NODE_METADATA_FAILED',
  NOT_INITIALIZED: 'INTERNAL_ERROR',
  CUSTOM_NODE_FAILED: 'CUSTOM_NODE_FAILED',
  CUSTOM_OUTPUTS_CORRUPTED: 'CUSTOM_NODE_OUTPUTS_CORRUPTED',
  CUSTOM_OUTPUT_COUNT_CORRUPTED: 'CUSTOM_NODE_OUTPUT_COUNT_CORRUPTED',
  CUSTOM_OUTPUT_NAME_MISSING: 'CUSTOM_NODE_OUTPUT_NAME_MISSING',
  CUSTOM_OUTPUT_PRECISION: 'CUSTOM_NODE_OUTPUT_PRECISION',
  CUSTOM_OUTPUT_SHAPE: 'CUSTOM_NODE_OUTPUT_SHAPE',
  CUSTOM_OUTPUT_CONTENT_SIZE: 'CUSTOM_NODE_OUTPUT_CONTENT_SIZE',
  PREPROCESSING_FAILED: 'MODEL_PREPROCESSING_INVALID',
  SEQUENCE_MISSING: 'SEQUENCE_MISSING',
  SEQUENCE_EXISTS: 'SEQUENCE_EXISTS',
  SEQUENCE_TERMINATED: 'SEQUENCE_TERMINATED',
  SEQUENCE_LIMIT: 'SEQUENCE_LIMIT',
  BATCHING_FAILED: 'MODEL_BATCHING_INVALID',
  NAMES_FAILED: 'MODEL_MAPPING_INVALID',
  SHARED_MEMORY_EXISTS: 'SHARED_MEMORY_EXISTS',
  SHARED_MEMORY_MISSING: 'SHARED_MEMORY_MISSING',
  SHARED_MEMORY_OPEN: 'SHARED_MEMORY_OPEN',
  SHARED_MEMORY_INVALID: 'SHARED_MEMORY_INVALID',
  SHARED_MEMORY_BROKEN: 'SHARED_MEMORY_BROKEN',
  SHARED_MEMORY_LIMIT: 'SHARED_MEMORY_LIMIT',
  NOT_JOINED: 'MODEL_NOT_JOINED',
};

/**
 * What a status number of the completion ring or of `infer` means.
 * @param text that of `takeError`; it becomes the detail, and the cause keeps it for the log.
 */
export function fromNativeStatus(status: number, text: string): ServingError {
  const name = NATIVE_STATUS[status] ?? 'INTERNAL';
  const code = CODES[name];
  if (code === null) throw new Error('a native call that went well is not an error');
  return new ServingError(code, text, { cause: new Error(`${name}: ${text}`) });
}

/**
 * What a native function threw, as an error of the catalogue when OpenVINO or a library is at fault. A `TypeError` stays as it is: it means a
 * wrong argument, which is a bug of the caller, as does anything else that native code does not throw.
 */
export function fromNativeError(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = CODES[error.code as NativeStatusName] ?? null;
  return code === null ? error : new ServingError(code, error.message, { cause: error });
}
