import type * as published from 'openvino-node';

/**
 * The part of openvino-node's published interface that Vinery offers, with the same names, signatures and element names, so that a
 * program changes its import and nothing else. What is missing here is not offered: graphs of models (`readModel`, `Model`),
 * `PrePostProcessor`, `AsyncInferQueue`, export and import, properties, and tensors of strings.
 *
 * Theirs describe a class and its instances by one interface; here instances have no construct signature, and the classes of
 * {@link OpenvinoAddon} have theirs. Each `Pick` takes the members over as published and leaves the construct signature out.
 */

/** Types that tensors have beyond openvino-node's; half-precision numbers appear as their 16 bits, booleans as bytes. */
export type AdditionalElementType = 'f16' | 'bf16' | 'boolean';

/** Names of element types. Strings have no fixed size and cannot lie in shared memory. */
export type ElementTypeName = Exclude<published.elementTypeString, 'string'> | AdditionalElementType;

/** What constructors take for an element type. */
export type ElementType = published.element | ElementTypeName;

export type SupportedTypedArray = published.SupportedTypedArray;
export type OVAny = published.OVAny;
export type Version = published.Version;
export type Dimension = published.Dimension;

/**
 * Elements in memory, row-major. `data` shows the memory itself and copies nothing; unless the tensor was made around an array of
 * other memory, that is a SharedArrayBuffer, which may be posted to workers.
 */
export interface Tensor extends Pick<published.Tensor, keyof published.Tensor> {
  copyTo(tensor: Tensor): void;
}

export type PartialShape = Pick<published.PartialShape, keyof published.PartialShape>;

/** An input or an output of a compiled model. */
export interface Output extends Pick<published.Output, Exclude<keyof published.Output, 'getPartialShape'>> {
  getPartialShape(): PartialShape;
}

/** What one inference gives: a tensor for each output under its name. The caller owns them; no inference changes them. */
export type InferResult = Record<string, Tensor>;

/** Tensors or plain data for inputs, by name or in the model's order; inputs that are left out keep their tensors. */
export type InferInput = Record<string, Tensor | SupportedTypedArray> | readonly (Tensor | SupportedTypedArray)[];

/** An execution slot: one inference at a time. Used on the thread that made it. */
export interface InferRequest {
  infer(inputData?: InferInput): InferResult;
  inferAsync(inputData: InferInput): Promise<InferResult>;
  getCompiledModel(): CompiledModel;
  getInputTensor(index?: number): Tensor;
  getOutputTensor(index?: number): Tensor;
  getTensor(nameOrOutput: string | Output): Tensor;
  setInputTensor(tensor: Tensor): void;
  setInputTensor(index: number, tensor: Tensor): void;
  setOutputTensor(tensor: Tensor): void;
  setOutputTensor(index: number, tensor: Tensor): void;
  setTensor(name: string, tensor: Tensor): void;
}

/** A model compiled for a device. It and its infer requests are freed when nothing refers to them. */
export interface CompiledModel {
  readonly inputs: Output[];
  readonly outputs: Output[];
  input(nameOrIndex?: string | number): Output;
  output(nameOrIndex?: string | number): Output;
  createInferRequest(): InferRequest;
}

export interface Core extends Pick<published.Core, 'addExtension' | 'getAvailableDevices'> {
  compileModel(modelPath: string, deviceName: string, config?: Record<string, OVAny>): Promise<CompiledModel>;
  compileModelSync(modelPath: string, deviceName: string, config?: Record<string, OVAny>): CompiledModel;
}

/** `addon.element`: every member is the name of its type. */
export type ElementTypes = Omit<typeof published.element, 'string'>;

/** For `instanceof`: only Vinery makes them. */
export type MadeByVinery<T> = abstract new (...internals: never[]) => T;

/** What `import { addon } from 'openvino-node'` gives, as far as it is offered. */
export interface OpenvinoAddon {
  readonly Core: new () => Core;
  readonly CompiledModel: MadeByVinery<CompiledModel>;
  readonly InferRequest: MadeByVinery<InferRequest>;
  readonly Output: MadeByVinery<Output>;
  readonly Tensor: new (type: ElementType, shape: number[], tensorData?: SupportedTypedArray) => Tensor;
  readonly PartialShape: new (shape?: string) => PartialShape;
  readonly element: ElementTypes;
  getOpenvinoVersion(): Version;
}
