import { access, constants } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type * as published from 'openvino-node';

import { ServingError } from '../errors.js';
import {
  NO_PREPROCESSING,
  type CompileSpecification,
  type ModelDescription,
  type PortDescription,
} from '../native/binding.js';
import {
  loadOpenvinoNode,
  OPENVINO_NODE,
  type AddonCompiledModel,
  type AddonCore,
  type AddonInferRequest,
  type AddonTensor,
  type OpenvinoNodeAddon,
} from '../openvino/openvino-node-package.js';
import type { Arena } from '../tensors/arena.js';
import { elementArray, type NumericPrecision } from '../tensors/elements.js';
import { ELEMENT_BYTES, OPENVINO_ELEMENT_TYPE, precisionOfElementType, type Precision } from '../tensors/precision.js';
import { elementCount, formatShape } from '../tensors/shape.js';
import type { SlabRegistrar } from '../tensors/slab-registrar.js';
import { Tensor } from '../tensors/tensor.js';
import type {
  CompiledModelReference,
  Inference,
  InferenceDone,
  InferenceModel,
  InferRequest,
  OutputTarget,
} from './inference.js';

/** What openvino-node cannot make tensors of: it knows no typed array for them. */
const FOREIGN: readonly Precision[] = ['FP16', 'BF16', 'BOOL', 'STRING'];

/**
 * Inference by the package openvino-node, or by any addon of its interface. It knows neither shared memory nor compiled models of
 * other threads: each owner worker compiles for itself, and tensors are copied in and out. What a model looks like still comes from
 * the control plane, which compiles by the native addon.
 */
export class OpenvinoNodeInference implements Inference, SlabRegistrar {
  readonly #addon: OpenvinoNodeAddon;
  readonly #core: AddonCore;
  readonly #slabs: (Uint8Array | null)[] = [];
  #arena: Arena | null = null;

  constructor(addon: OpenvinoNodeAddon) {
    this.#addon = addon;
    this.#core = new addon.Core();
  }

  /** Slabs are only kept by id here: the package knows no shared memory, so tensors are copied. */
  get memory(): SlabRegistrar {
    return this;
  }

  /**
   * @param packageName another place than the installed package, for tests.
   * @throws ServingError BACKEND_MISSING when the package or its binary is not there or does not load
   */
  static load(packageName = OPENVINO_NODE): Promise<OpenvinoNodeInference> {
    return new Promise((resolve) => {
      resolve(new OpenvinoNodeInference(loadOpenvinoNode(packageName)));
    });
  }

  useArena(arena: Arena): void {
    this.#arena = arena;
  }

  /** @throws ServingError NOT_IMPLEMENTED, MODEL_READ_FAILED, MODEL_COMPILE_FAILED */
  async openModel({ specification, description }: CompiledModelReference): Promise<InferenceModel> {
    refuseUnapplied(specification, description);
    const compiled = await this.#compile(specification, description);
    const arena = this.#arena!;
    return {
      createInferRequest: () =>
        new OpenvinoNodeInferRequest(this.#addon, compiled.createInferRequest(), description, arena),
      // Freed by the garbage collector: the package offers no other way.
      close: () => undefined,
    };
  }

  registerSlab(slab: Uint8Array): number {
    const free = this.#slabs.indexOf(null);
    if (free === -1) return this.#slabs.push(slab) - 1;
    this.#slabs[free] = slab;
    return free;
  }

  unregisterSlab(slabId: number): void {
    this.#slab(slabId);
    this.#slabs[slabId] = null;
  }

  /** Always 0: JavaScript sees no addresses. Nothing is bound in place, so alignment does not matter either. */
  slabAddress(slabId: number): bigint {
    this.#slab(slabId);
    return 0n;
  }

  copyIn(slabId: number, byteOffset: number, source: Uint8Array): void {
    this.#slab(slabId).set(source, byteOffset);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #slab(slabId: number): Uint8Array {
    const slab = this.#slabs[slabId];
    if (!slab) throw new TypeError(`slabId: slab ${slabId} is not registered`);
    return slab;
  }

  /** The package cannot fold what streams must not share, so such a model gets one stream. */
  async #compile(
    { path, device, properties }: CompileSpecification,
    { sharedConstants }: ModelDescription,
  ): Promise<AddonCompiledModel> {
    const streams = sharedConstants === 'untouched' ? {} : { NUM_STREAMS: 1 };
    try {
      await access(path, constants.R_OK);
    } catch (cause) {
      throw new ServingError('MODEL_READ_FAILED', textOf(cause), { cause });
    }
    try {
      return await this.#core.compileModel(path, device, { ...properties, ...streams });
    } catch (cause) {
      throw cause instanceof ServingError ? cause : new ServingError('MODEL_COMPILE_FAILED', textOf(cause), { cause });
    }
  }
}

/** One infer request with plain memory for its inputs, which stays as long as shapes do. */
class OpenvinoNodeInferRequest implements InferRequest {
  readonly #addon: OpenvinoNodeAddon;
  readonly #request: AddonInferRequest;
  readonly #outputPrecisions: readonly Precision[];
  readonly #arena: Arena;
  readonly #staged: StagedInput[] = [];

  constructor(addon: OpenvinoNodeAddon, request: AddonInferRequest, description: ModelDescription, arena: Arena) {
    this.#addon = addon;
    this.#request = request;
    this.#outputPrecisions = description.outputs.map((port) => precisionOfElementType(port.elementType)!);
    this.#arena = arena;
  }

  infer(inputs: readonly Tensor[], outputs: readonly OutputTarget[], done: InferenceDone): void {
    const started = performance.now();
    const micros = (): number => Math.round((performance.now() - started) * 1000);
    this.#run(inputs).then(
      () => this.#finish(outputs, micros(), done),
      (cause: unknown) => done(asServingError('INFERENCE_FAILED', cause), null, micros()),
    );
  }

  close(): void {
    this.#staged.length = 0;
  }

  /** The package drops the names of inputs, so they go in the model's order. */
  async #run(inputs: readonly Tensor[]): Promise<void> {
    await this.#request.inferAsync(inputs.map((tensor, index) => this.#stage(tensor, index)));
  }

  #stage({ precision, shape, bytes }: Tensor, index: number): AddonTensor {
    const key = `${precision}(${shape.join()})`;
    let staged = this.#staged[index];
    if (staged?.key !== key) this.#staged[index] = staged = stagedInput(this.#addon, precision, shape, key);
    staged.bytes.set(bytes);
    this.#arena.copies.count('backend', bytes.byteLength);
    return staged.tensor;
  }

  #finish(outputs: readonly OutputTarget[], inferMicros: number, done: InferenceDone): void {
    const tensors = this.#collect(outputs);
    if (tensors instanceof ServingError) done(tensors, null, inferMicros);
    else done(null, tensors, inferMicros);
  }

  #collect(outputs: readonly OutputTarget[]): (Tensor | null)[] | ServingError {
    const allocated: Tensor[] = [];
    try {
      return outputs.map((target, index) => {
        if (target === 'discard') return null;
        const result = this.#request.getOutputTensor(index);
        if (target instanceof Tensor) return this.#fill(target, result);
        const tensor = this.#allocate(result, index);
        allocated.push(tensor);
        return this.#fill(tensor, result);
      });
    } catch (cause) {
      for (const tensor of allocated) tensor.release();
      return asServingError('OUTPUT_RETRIEVAL_FAILED', cause);
    }
  }

  #allocate(result: AddonTensor, index: number): Tensor {
    const precision = this.#outputPrecisions[index]!;
    const shape = result.getShape();
    return new Tensor(precision, shape, this.#arena.lease((elementCount(shape) ?? 0) * ELEMENT_BYTES[precision]));
  }

  #fill(target: Tensor, result: AddonTensor): Tensor {
    fill(target, result);
    this.#arena.copies.count('backend', target.byteLength);
    return target;
  }
}

interface StagedInput {
  readonly key: string;
  readonly tensor: AddonTensor;
  /** The tensor's memory. Whoever makes a tensor around an array keeps the array: openvino-node does not. */
  readonly bytes: Uint8Array;
}

function stagedInput(
  addon: OpenvinoNodeAddon,
  precision: Precision,
  shape: readonly number[],
  key: string,
): StagedInput {
  const known = precision as NumericPrecision;
  const type = OPENVINO_ELEMENT_TYPE[known] as Exclude<published.elementTypeString, 'string'>;
  const count = elementCount(shape) ?? 0;
  const data = elementArray(known, new ArrayBuffer(count * ELEMENT_BYTES[known]), 0, count);
  // Memory of no size has no address that a tensor could be made around.
  const tensor = data.length === 0 ? new addon.Tensor(type, [...shape]) : new addon.Tensor(type, [...shape], data);
  return { key, tensor, bytes: new Uint8Array(data.buffer) };
}

function fill(target: Tensor, result: AddonTensor): void {
  const { buffer, byteOffset, byteLength } = result.getData();
  const expected = (elementCount(target.shape) ?? 0) * ELEMENT_BYTES[target.precision];
  if (byteLength !== expected) {
    const received = formatShape(result.getShape());
    throw new Error(`expected an output of shape ${formatShape(target.shape)}, received ${received}`);
  }
  target.bytes.set(new Uint8Array(buffer, byteOffset, byteLength));
}

function refuseUnapplied(specification: CompileSpecification, { inputs, outputs }: ModelDescription): void {
  const { shapes, layouts, batch, preprocessing, stateful, joinedRows } = specification;
  const refuse = (what: string): void => {
    throw new ServingError('NOT_IMPLEMENTED', `${what} with --backend ${OPENVINO_NODE}`);
  };
  if (shapes.length > 0) refuse('shape');
  if (layouts.length > 0) refuse('layout');
  if (batch !== null) refuse('batch_size');
  if (!isDeepStrictEqual(preprocessing, NO_PREPROCESSING)) refuse('mean, scale, color_format and precision');
  if (stateful !== null) refuse('stateful');
  if (joinedRows !== null) refuse('dynamic_batching');
  for (const { elementType, names } of [...inputs, ...outputs] satisfies PortDescription[]) {
    const precision = precisionOfElementType(elementType);
    if (precision === undefined || FOREIGN.includes(precision)) {
      refuse(`element type ${elementType} of tensor ${names[0] ?? 'without a name'}`);
    }
  }
  // Its results are objects with a key for each output.
  if (outputs.some(({ names }) => names.length === 0)) refuse('an output without a name');
}

function asServingError(code: 'INFERENCE_FAILED' | 'OUTPUT_RETRIEVAL_FAILED', cause: unknown): ServingError {
  return cause instanceof ServingError ? cause : new ServingError(code, textOf(cause), { cause });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
