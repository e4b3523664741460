/**
 * What the author of a pipeline node needs: the package entry `vinery/node`. A node is a TypeScript or JavaScript module that
 * exports the functions of {@link NodeModule}, by name or as its default export; `docs/js-nodes.md` explains it with an example.
 */
export { fromHalf, toHalf } from '../../tensors/half.js';

/** Element types a node can take and give, and the typed arrays they are seen through. FP16 and BF16 are raw bits. */
export interface Elements {
  readonly FP64: Float64Array;
  readonly FP32: Float32Array;
  readonly FP16: Uint16Array;
  readonly BF16: Uint16Array;
  readonly I64: BigInt64Array;
  readonly I32: Int32Array;
  readonly I16: Int16Array;
  readonly I8: Int8Array;
  readonly U64: BigUint64Array;
  readonly U32: Uint32Array;
  readonly U16: Uint16Array;
  readonly U8: Uint8Array;
  /** One byte an element, 0 or 1. */
  readonly BOOL: Uint8Array;
}
export type Precision = keyof Elements;

/**
 * A tensor: row-major elements under a shape. `data` is a view of the memory that the server and its models use, right there. An
 * input must not be written, and no tensor may be touched after the execution that it belongs to.
 * `data.buffer` is larger than the tensor; make further views with `data.subarray` or from `data.byteOffset`.
 */
export interface Tensor<P extends Precision = Precision> {
  readonly name: string;
  readonly precision: P;
  readonly shape: readonly number[];
  readonly data: Elements[P];
}

/** What a node says of one of its inputs or outputs. */
export interface TensorDeclaration {
  readonly name: string;
  readonly precision: Precision;
  /** For each dimension its size, -1 for any, or `[min, max]`, with -1 for no maximum. */
  readonly shape: readonly (number | readonly [number, number])[];
  /** For example `NHWC`; `N...` when it is left out. */
  readonly layout?: string;
}

/**
 * An output as `execute` returns it. Memory from {@link NodeContext.allocate} and views of an input's memory are passed on without
 * a copy; any other typed array is copied once. For an output whose shape is fixed the typed array alone will do.
 */
export type Output = { readonly shape: readonly number[]; readonly precision?: Precision; readonly data: Data } | Data;
export type Data = Elements[Precision];

export interface NodeContext<Params = unknown, State = undefined> {
  /** `params` of the node in the configuration. */
  readonly params: Params;
  /** What `initialize` returned in this thread. */
  readonly state: State;
  /** Whether anything reads this output; one that nobody reads may be left out of the result. */
  isWanted(output: string): boolean;
  /**
   * Memory for an output, to be filled and returned under its name. The content is undefined.
   * @param shape may be left out where the signature fixes it.
   * @throws Error when the signature has no such output or does not allow the shape
   */
  allocate<P extends Precision = Precision>(output: string, shape?: readonly number[]): Tensor<P>;
}

/** The exports of a node's module. Inputs come as a record by name. */
export interface NodeModule<
  Inputs extends Readonly<Record<string, Tensor>> = Readonly<Record<string, Tensor>>,
  Params = unknown,
  State = undefined,
> {
  inputs(params: Params, state: State): readonly TensorDeclaration[];
  outputs(params: Params, state: State): readonly TensorDeclaration[];
  execute(
    inputs: Inputs,
    context: NodeContext<Params, State>,
  ): Readonly<Record<string, Output>> | Promise<Readonly<Record<string, Output>>>;
  /** Runs before everything else, once for each node in each thread that executes it. */
  initialize?(params: Params): State | Promise<State>;
  /** Runs once for each state when it is not needed any more. */
  deinitialize?(state: State): void | Promise<void>;
}
