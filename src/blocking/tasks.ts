import { move, transferableSymbol, valueSymbol } from 'piscina';

import { ServingError, type ErrorCode } from '../errors.js';
import { decodeInferJson, inferTransferList } from '../frontends/rest/kserve/infer-json.js';
import { decodePredictBody, transferList } from '../frontends/rest/predict-json.js';
import type {
  CompileSpecification,
  CustomNodeDescription,
  CustomNodeSpecification,
  ModelDescription,
} from '../native/binding.js';
import { fromNativeError } from '../native/errors.js';
import { loadNativeBinding } from '../native/load.js';
import type { PictureTarget } from '../servables/strings/picture-decoder.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { compareAnswers, digestAnswers, type TriedModel, type TrialReference } from './compare-answers.js';
import { measureInference } from './measure-inference.js';
import { decodePicture, measurePicture } from './pictures.js';

/** Work that would stop an event loop. */
export type BlockingTask =
  | PrepareTask
  | CompileTask
  | MeasureTask
  | CompareAnswersTask
  | DigestAnswersTask
  | InitializeCustomNodeTask
  | DecodeTask
  | DecodeInferTask
  | MeasurePictureTask
  | DecodePictureTask;

/** Nothing: the thread starts, and loads the addon. */
export interface PrepareTask {
  readonly kind: 'prepare';
}

/** Reads and compiles a model; the result is the {@link ModelDescription} of the compiled model. */
export interface CompileTask {
  readonly kind: 'compile';
  /** Entry of the process-wide registry, reserved and held by the control plane. */
  readonly modelId: number;
  readonly specification: CompileSpecification;
}

/** Infers over zeros; the result is the time in microseconds. */
export interface MeasureTask {
  readonly kind: 'measure';
  readonly modelId: number;
  readonly description: ModelDescription;
  /** Microseconds below which one need not look closer. */
  readonly wanted: number;
}

/** Compares the answers of two models; the result is the first difference, `null` when there is none. */
export interface CompareAnswersTask {
  readonly kind: 'compare-answers';
  readonly reference: TrialReference;
  readonly tried: TriedModel;
}

/** The result is the digest of a model's answers, `null` when it has none. */
export interface DigestAnswersTask {
  readonly kind: 'digest-answers';
  readonly reference: TrialReference;
  readonly requests: number;
}

/** Loads a library and initializes a custom node of it; the result is the {@link CustomNodeDescription}. */
export interface InitializeCustomNodeTask {
  readonly kind: 'initialize-custom-node';
  /** Entry of the process-wide registry, reserved and held by the control plane. */
  readonly customNodeId: number;
  readonly specification: CustomNodeSpecification;
}

/** Decodes a large JSON body; the result is a `DecodedPredictBody`, whose buffers are moved, not copied. */
export interface DecodeTask {
  readonly kind: 'decode-predict-body';
  readonly body: Uint8Array;
  readonly inputs: readonly TensorInfo[];
}

/** Reads the header of a picture; the result is its `PictureShape`. */
export interface MeasurePictureTask {
  readonly kind: 'measure-picture';
  /** Owns its buffer, which is moved. */
  readonly encoded: Uint8Array<ArrayBuffer>;
}

/** Decodes a picture into shared memory. */
export interface DecodePictureTask {
  readonly kind: 'decode-picture';
  /** Owns its buffer, which is moved. */
  readonly encoded: Uint8Array<ArrayBuffer>;
  readonly target: PictureTarget;
}

/** Decodes the large JSON of an infer request; the result is an `InferDocument`, whose buffers are moved, not copied. */
export interface DecodeInferTask {
  readonly kind: 'decode-infer-json';
  readonly json: Uint8Array;
}

/** Errors lose their class between threads, so a fault crosses as its code and detail. */
export type BlockingResult<T> = { readonly value: T } | { readonly code: ErrorCode; readonly detail: string };

/** Entry point of the workers of the blocking pool. */
export default async function run(task: BlockingTask): Promise<unknown> {
  try {
    return await runKind(task);
  } catch (error) {
    const known = fromNativeError(error);
    if (!(known instanceof ServingError)) throw error;
    return { code: known.code, detail: known.detail };
  }
}

function runKind(task: BlockingTask): unknown {
  switch (task.kind) {
    case 'prepare':
      loadNativeBinding();
      return { value: null };
    case 'compile':
      return { value: compile(task) };
    case 'measure':
      return { value: measureInference(task.modelId, task.description, task.wanted) };
    case 'compare-answers':
      return { value: compareAnswers(task.reference, task.tried) };
    case 'digest-answers':
      return { value: digestAnswers(task.reference, task.requests) };
    case 'initialize-custom-node':
      return { value: initializeCustomNode(task) };
    case 'decode-predict-body':
      return decode(task);
    case 'measure-picture':
      return measurePicture(task.encoded).then((value) => ({ value }));
    case 'decode-picture':
      return decodePicture(task.encoded, task.target).then((value) => ({ value }));
    case 'decode-infer-json':
      return decodeInfer(task);
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

function initializeCustomNode({ customNodeId, specification }: InitializeCustomNodeTask): CustomNodeDescription {
  const binding = loadNativeBinding();
  binding.initializeCustomNode(customNodeId, specification);
  const node = binding.openCustomNode(customNodeId);
  try {
    return binding.describeCustomNode(node);
  } finally {
    binding.closeCustomNode(node);
  }
}

function decode({ body, inputs }: DecodeTask): unknown {
  const decoded = decodePredictBody(body, inputs);
  return moved(decoded, transferList(decoded));
}

function decodeInfer({ json }: DecodeInferTask): unknown {
  const decoded = decodeInferJson(json);
  return moved(decoded, inferTransferList(decoded));
}

/** The tensors are moved to the asking thread: a picture's worth of numbers need not be copied again. */
function moved(decoded: unknown, buffers: ArrayBuffer[]): unknown {
  const value: BlockingResult<unknown> = { value: decoded };
  return move({ [transferableSymbol]: buffers, [valueSymbol]: value });
}
