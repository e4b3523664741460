import type { ColorFormat } from '../tensors/color-format.js';
import type { Precision } from '../tensors/precision.js';
import type { SharedMemoryRegion } from '../tensors/shared-memory.js';
import type { IngressBinding } from './ingress-binding.js';

/**
 * The surface of the native addon, by hand; `native/napi/addon.cc` registers exactly these names and a native test compares both.
 * Only `src/native` loads the `.node` file.
 *
 * Threads: every function runs on the JavaScript thread that calls it. The registries of compiled models and of custom nodes are one
 * per process; slabs, infer requests, executions and the completion ring belong to the environment (main thread or worker) that made
 * them.
 * Errors: a wrong argument throws a `TypeError` that names the argument. A fault of OpenVINO or of a custom node's library throws an
 * `Error` whose `code` is a {@link NativeStatusName}; see `errors.ts`.
 */
export interface NativeBinding extends IngressBinding {
  /** Version of the OpenVINO libraries in use, for example `2026.4.1-...`. */
  openvinoVersion(): string;

  /** Names of the devices the plug-ins of this machine offer, for example `['CPU', 'GPU.0']`. */
  availableDevices(): string[];

  /** The numbers and names that both sides write down, for the test that compares them. */
  constants(): NativeConstants;

  /** Loads an extension library into the process-wide core. */
  addExtension(libraryPath: string): void;

  /**
   * Makes an empty entry of the registry and holds it for this environment. Whoever reserves decides how long the entry lives:
   * until {@link releaseModel} or the end of the environment.
   */
  reserveModel(): number;

  /** Reads and compiles into a reserved entry. Blocks for as long as OpenVINO needs: call it in a worker of the blocking pool. */
  compileModel(modelId: number, specification: CompileSpecification): void;

  /**
   * Enters an open model once more and holds that entry for this environment, so that other threads may open it whatever becomes of the
   * first one. {@link releaseModel} ends it.
   */
  shareModel(model: CompiledModelHandle): number;

  /** Drops this environment's hold. Memory goes when the last handle, infer request and running inference are gone. */
  releaseModel(modelId: number): void;

  /** Whether the entry is there, compiled or not. */
  isModelKnown(modelId: number): boolean;

  /**
   * Leaves all compiled models of the process to its end: releasing them frees nothing any more. For a process that is about to end,
   * because OpenVINO takes milliseconds to free each of many models. Any thread.
   */
  leaveModelsToProcess(): void;

  /** A handle of a compiled entry for this environment; throws when the entry is unknown or not compiled. */
  openModel(modelId: number): CompiledModelHandle;

  /** Gives the handle back; infer requests made from it stay valid. Closing twice throws. */
  closeModel(model: CompiledModelHandle): void;

  describeModel(model: CompiledModelHandle): ModelDescription;

  /**
   * Asks a model as {@link TrialQuestion} says and returns its different answers: one where every stream answers alike. Infer requests
   * are new, so a model with a state begins with its first one. Blocks until all have ended: call it in a worker of the blocking pool.
   * Throws BINDING_FAILED for other than as many shapes as inputs, and for an input whose element type has no seeded numbers.
   */
  tryModel(model: CompiledModelHandle, question: TrialQuestion): TrialAnswer[];

  /**
   * Makes memory known under a small integer, so that tensors are named by (slab, offset). The view must cover a whole
   * SharedArrayBuffer; it is kept alive until {@link unregisterSlab}. Ids are per environment and are used again.
   */
  registerSlab(slab: Uint8Array): number;

  /** Throws while what runs in this environment, an infer request or a custom node, has a tensor in the slab. */
  unregisterSlab(slabId: number): void;

  /** Address of a byte of a slab, for the tests that prove that nothing was copied. */
  slabAddress(slabId: number, byteOffset: number): bigint;

  /** Plain memory copy into a slab: V8's own copy into shared memory is about three times slower (measured, 602 KB: 50 against 16 us). */
  copyIn(slabId: number, byteOffset: number, source: Uint8Array): void;

  /**
   * Registers a part of POSIX shared memory under a name, for the whole process. Throws SHARED_MEMORY_EXISTS, SHARED_MEMORY_OPEN when
   * it is not there or may not be read, SHARED_MEMORY_INVALID when the key is no name or the part lies beyond it, SHARED_MEMORY_LIMIT.
   */
  registerSharedMemory(name: string, key: string, offset: number, byteSize: number): void;

  /** Frees the name at once, and the memory when no request uses it any more. `false`: no region has the name. */
  unregisterSharedMemory(name: string): boolean;

  unregisterAllSharedMemory(): void;

  /** What is registered, sorted by name. */
  listSharedMemory(): SharedMemoryRegion[];

  /**
   * A request of this environment begins to use a region, until {@link endSharedMemory}. Throws SHARED_MEMORY_MISSING, and
   * SHARED_MEMORY_BROKEN when the client has cut it off.
   */
  beginSharedMemory(name: string): SharedMemoryUse;

  /**
   * Lays a region in use over the pages of a whole SharedArrayBuffer, which from then on is the client's memory on every thread. Kept
   * alive until {@link unmapSharedMemory}; zeros are there when the region is gone. Where the client takes pages away, reading gives
   * zeros as well, and {@link isSharedMemoryBroken} tells.
   *
   * @param memory of the use's `room` at least.
   * @returns byte of it at which the region begins.
   */
  mapSharedMemory(region: number, memory: Uint8Array): number;

  /** Whether something has met pages that the client had taken away: nothing that was read since may be believed. */
  isSharedMemoryBroken(region: number): boolean;

  /** The request is over. Throws when none uses the region. */
  endSharedMemory(region: number): void;

  /** Whether the region is registered or in use. */
  isSharedMemoryKnown(region: number): boolean;

  /** The environment wants its memory back. Throws while a request of it uses the region; harmless when nothing is mapped. */
  unmapSharedMemory(region: number): void;

  /**
   * An infer request with its binding table. The table is written by JavaScript before each start and read by native code within
   * the call that starts it: for each port, inputs first, then outputs, {@link BINDING_STRIDE} numbers:
   * `[slab id, byte offset, rank, size 0, size 1, ...]`. A slab id of {@link UNBOUND} on an output lets OpenVINO allocate; after
   * the inference rank and sizes of every output are written back. Rank is at most {@link MAX_RANK}.
   * Tensors that did not change since the last start are not set again.
   *
   * Strings of an input stand packed in their slab (`tensors/strings.ts`), at any byte. They are copied within the call that starts, so
   * the slab may go and change afterwards, and freed when the end is drained. Outputs of strings must be {@link UNBOUND}; after the
   * inference the place of their byte offset tells how many bytes they take when packed.
   *
   * @param copiesSmallInputs default false; inputs of up to 2 KiB are copied within the call that starts, into memory of the request's own: for
   *   inferences so short that to tell OpenVINO of another place costs more than the copy.
   */
  createInferRequest(model: CompiledModelHandle, table: Float64Array, copiesSmallInputs?: boolean): InferRequestHandle;

  /** Frees the request once its inference, if one runs, has ended. Using it afterwards throws. */
  closeInferRequest(request: InferRequestHandle): void;

  /**
   * Binds the tensors of the table and starts the inference; returns at once. The end is reported through the completion ring
   * under `token`, a non-negative 32-bit integer. Faults of binding are reported there, too, never thrown. Starting a running
   * request throws.
   */
  start(request: InferRequestHandle, token: number): void;

  /**
   * Binds, infers and waits on this thread. Returns an index of {@link NATIVE_STATUS}; its text by {@link takeError} with `token`.
   * At its best for models whose shapes are all known, compiled with one stream of one thread. A model with dynamic shapes, loops
   * or foreign operations takes the hop to a stream's thread, as `start` does, because OpenVINO 2026.4 loses the faults of an
   * inference that runs on the calling thread.
   */
  infer(request: InferRequestHandle, token: number): number;

  /** Asks a running inference to stop; it still completes through the ring. */
  cancel(request: InferRequestHandle): void;

  /** Copies an output that OpenVINO allocated (`UNBOUND`) into a slab, strings packed. Sizes are in the binding table. */
  copyOutput(request: InferRequestHandle, outputIndex: number, slabId: number, byteOffset: number): void;

  /** Address of the tensor that is bound to a port now, for tests. Ports count as in the binding table. */
  tensorAddress(request: InferRequestHandle, port: number): bigint;

  /**
   * Opens this environment's completion ring; once per environment. Each record is {@link COMPLETION_STRIDE} 32-bit integers:
   * `[token, NativeStatus, time of the inference or execution in microseconds]`. `drain(count)` is called on this thread with `count` records at the
   * start of `records`, as often as needed; any number of completions share one wake of the event loop. The records do not change
   * while `drain` runs, whatever it starts. An exception out of `drain` is an uncaught exception. A negative token is no completion
   * but a notice of something that waits elsewhere (`INGRESS_TOKEN`).
   * The event loop is kept alive only while inferences or custom nodes run or an ingress is open.
   */
  openCompletions(records: Int32Array, drain: (count: number) => void): void;

  /** The text of a failed token, once; empty when there is none. */
  takeError(token: number): string;

  /** Inferences and custom node executions of this environment that have started and not yet been drained. */
  inFlight(): number;

  /**
   * Queues a request behind the others of its sequence. The sequences of a stateful model are one set for the process: a request may
   * come on any thread. Control 1 makes the sequence, under an id of native code's own for id 0; 2 ends it.
   * Throws SEQUENCE_LIMIT, SEQUENCE_EXISTS, SEQUENCE_TERMINATED (control 1 while the last request runs), SEQUENCE_MISSING.
   */
  enterSequence(model: CompiledModelHandle, sequenceId: bigint, control: number): SequenceTurnHandle;

  /** Id of the sequence: the one given, or the one made for it. */
  sequenceOf(turn: SequenceTurnHandle): bigint;

  /** Whether the turn has come. */
  hasTurn(turn: SequenceTurnHandle): boolean;

  /**
   * Has the completion ring tell under `token` when the turn comes; once a turn. SEQUENCE_MISSING there: the sequence is gone, its
   * first request failed.
   */
  awaitTurn(turn: SequenceTurnHandle, token: number): void;

  /** Takes a turn that has not come out of the queue: it ends as CANCELLED where it is awaited. `false`: it has come. */
  withdrawTurn(turn: SequenceTurnHandle): boolean;

  /** Nobody waits for a request whose turn has come: it will not be committed, and the same request may enter behind it. */
  abandonTurn(turn: SequenceTurnHandle): void;

  /**
   * As {@link start}, with the state of the sequence: it is set before, at the start of a sequence to what the model says, and what the
   * inference leaves is kept for {@link finishTurn}. State never crosses to JavaScript.
   */
  startInTurn(request: InferRequestHandle, turn: SequenceTurnHandle, token: number): void;

  /**
   * Lets the next request of the sequence have its turn, and closes the handle. With `commit` the kept state is the sequence's from now
   * on, or, with control 2, the sequence is gone; without, it is as it was before, so one that only began is gone. A handle that is
   * lost counts as not committed.
   */
  finishTurn(turn: SequenceTurnHandle, commit: boolean): void;

  /** Removes the sequences that had no committed turn since the last call and have none that runs or waits; their ids. */
  removeIdleSequences(modelId: number): bigint[];

  /** How many sequences a stateful model has now. */
  countSequences(model: CompiledModelHandle): number;

  /** Makes an empty entry for a custom node and holds it for this environment, as {@link reserveModel} does for a model. */
  reserveCustomNode(): number;

  /**
   * Loads the library, calls its `initialize`, and asks it for its inputs and outputs. Blocks for as long as the library takes: call
   * it in a worker of the blocking pool. Throws LIBRARY_FAILED, INITIALIZE_FAILED, METADATA_FAILED, NOT_INITIALIZED.
   */
  initializeCustomNode(customNodeId: number, specification: CustomNodeSpecification): void;

  /**
   * Drops this environment's hold. When the last handle and execution are gone, too, a native thread calls the library's
   * `deinitialize` and unloads it unless other nodes of it are left.
   */
  releaseCustomNode(customNodeId: number): void;

  /** A handle of an initialized entry for this environment; throws NOT_INITIALIZED when the entry is unknown or empty. */
  openCustomNode(customNodeId: number): CustomNodeHandle;

  /** Gives the handle back; executions started from it go on. Closing twice throws. */
  closeCustomNode(node: CustomNodeHandle): void;

  describeCustomNode(node: CustomNodeHandle): CustomNodeDescription;

  /**
   * Queues one execution for a native thread; returns at once. `table` has a row of {@link BINDING_STRIDE} numbers for each input of
   * the description, as for an infer request, and is read within this call; precisions are those of the description. The library
   * reads the slabs themselves. The end is reported through the completion ring under `token`; a fault of binding as well.
   */
  startCustomNode(node: CustomNodeHandle, table: Float64Array, token: number): CustomExecutionHandle;

  /**
   * Takes an execution out of the queue: it never runs, reads nothing any more and ends as CANCELLED through the ring. `false`, and
   * nothing happens, when it has begun.
   */
  withdrawCustomExecution(execution: CustomExecutionHandle): boolean;

  /** What an execution that has ended returned, in the library's order; nothing after a failure. Throws while it runs. */
  describeCustomOutputs(execution: CustomExecutionHandle): CustomNodeOutput[];

  /** Copies an output of an execution that has ended into a slab; `outputIndex` counts as in {@link describeCustomOutputs}. */
  copyCustomOutput(execution: CustomExecutionHandle, outputIndex: number, slabId: number, byteOffset: number): void;

  /**
   * Gives the outputs back to the library, on a native thread: its `release` may wait for what an execution holds. Using the handle
   * afterwards throws. One that still runs is let run, and its outputs go unseen.
   */
  closeCustomExecution(execution: CustomExecutionHandle): void;

  /**
   * Binds and listens on a numeric IPv4 or IPv6 address and returns the socket, so that several event loops can accept from it.
   * Port 0 takes a free one. Throws an `Error` whose `code` is the system's (`EADDRINUSE`, `EACCES`, ...).
   */
  listen(address: string, port: number, backlog: number): { readonly fd: number; readonly port: number };

  /** A second descriptor of the same socket, for another event loop. */
  duplicate(fd: number): number;

  /**
   * Accepts the clients that the system has connected to a listening socket already, as many as the process may have descriptors. The
   * sockets belong to the caller.
   */
  acceptWaiting(fd: number): number[];

  closeDescriptor(fd: number): void;

  /**
   * From here on SIGILL ends the process with one line on standard error and exit code 132. Of native code because a JavaScript handler
   * could not run: the instruction would come again and again before it.
   */
  exitOnIllegalInstruction(): void;

  /** Ends the process now: nothing that runs in any thread is waited for, no exit handler runs. Does not return. */
  endProcess(exitCode: number): void;

  /** Microseconds that the calling thread has computed since it began. Asking costs 0.1 to 0.5 of them: a system call. */
  threadCpuMicros(): number;
}

/** A region that a request uses. */
export interface SharedMemoryUse {
  /** Number of this registration; never given again. */
  readonly region: number;
  readonly byteSize: number;
  /** Whether the server may write it. */
  readonly isWritable: boolean;
  /** Bytes of memory to map it over; 0 when this environment has done that. */
  readonly room: number;
}

declare const compiledModel: unique symbol;
declare const inferRequest: unique symbol;
declare const customNode: unique symbol;
declare const customExecution: unique symbol;
declare const sequenceTurn: unique symbol;
/** Opaque and type-tagged: a handle of another kind throws. */
export interface CompiledModelHandle {
  readonly [compiledModel]: true;
}
export interface InferRequestHandle {
  readonly [inferRequest]: true;
}
export interface CustomNodeHandle {
  readonly [customNode]: true;
}
export interface CustomExecutionHandle {
  readonly [customExecution]: true;
}
export interface SequenceTurnHandle {
  readonly [sequenceTurn]: true;
}

/** Numbers a port takes in a binding table: slab, offset, rank and up to {@link MAX_RANK} sizes. */
export const BINDING_STRIDE = 11;
export const MAX_RANK = 8;
export const UNBOUND = -1;
export const COMPLETION_STRIDE = 3;

export interface NativeConstants {
  readonly bindingStride: number;
  readonly maxRank: number;
  readonly unbound: number;
  readonly completionStride: number;
  readonly statuses: readonly string[];
}

/** What to read and how to compile it. Crosses whole: absent is `null` or empty, so a forgotten field fails at once. */
export interface CompileSpecification {
  /** Absolute path of the model file (`.xml`, `.onnx`, `.pb`, `.pdmodel`, `.tflite`) or a saved-model directory. */
  readonly path: string;
  /** For example `CPU`, `GPU.1`, `AUTO:GPU,CPU`. */
  readonly device: string;
  /** Passed to `compile_model` after translation; strings, booleans and numbers. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** The names that clients use; ports without an entry keep their own. NAMES_FAILED when two are alike or a tensor is not there. */
  readonly mapping: { readonly inputs: readonly MappedName[]; readonly outputs: readonly MappedName[] };
  /**
   * New shapes by the name that clients use: `[min, max]` a dimension, max -1 when unbounded; `null`: all dimensions unbounded.
   * Empty: as the model says. Layouts are arranged first, so shapes are those that clients see (as OVMS 2026.2.1). An empty name is
   * for the only input.
   */
  readonly shapes: readonly {
    readonly name: string;
    readonly dimensions: readonly (readonly [number, number])[] | null;
  }[];
  /**
   * Layouts by the name that clients use, of an input, an output or one of each; empty for the only input. `model` declares the model's
   * own layout. `tensor`, when not null, is what clients use, and a transpose is put between.
   */
  readonly layouts: readonly { readonly name: string; readonly tensor: string | null; readonly model: string | null }[];
  /** `[min, max]` for the batch dimension of every input: where its layout has N, else the first. `null`: as the model says. */
  readonly batch: readonly [number, number] | null;
  readonly preprocessing: Preprocessing;
  /** `null`: the model keeps no state between requests. */
  readonly stateful: StatefulModel | null;
  /**
   * Opens the batch dimension, so that the rows of several requests are inferred at once: so many together, or what one request may have
   * where that is more. The description keeps the shapes that requests have. NOT_JOINED when answers would not be those to single requests,
   * bit for bit; BATCHING_FAILED when there is no room for two requests. `null`: the shapes are those of the description.
   */
  readonly joinedRows: number | null;
}

export type MappedName = readonly [tensor: string, served: string];

export const NO_MAPPING: CompileSpecification['mapping'] = Object.freeze({ inputs: [], outputs: [] });

/** A model that keeps its state from one request of a sequence to the next. */
export interface StatefulModel {
  /** Sequences at once. */
  readonly maxSequences: number;
  /** Loops are taken apart, so that a request is one step of them (OpenVINO's `LowLatency2`). */
  readonly lowLatency: boolean;
}

/** What happens to the values of every input before the model gets them, in the order color, element type, mean, scale. */
export interface Preprocessing {
  /** Subtracted: empty for nothing, one number for all channels, or one a channel of the layout's C. */
  readonly mean: readonly number[];
  /** Divided by; counts as `mean`. */
  readonly scale: readonly number[];
  /** What clients send (`tensor`) becomes what the model wants (`model`). */
  readonly color: { readonly tensor: ColorFormat; readonly model: ColorFormat } | null;
  /** As `color`, in OpenVINO's names, for example `u8`. */
  readonly elementType: { readonly tensor: string; readonly model: string } | null;
}

/** What compiles a model as its file has it: own shapes and layouts, no preprocessing, no sequences. */
export function plainSpecification(
  path: string,
  device: string,
  properties: CompileSpecification['properties'],
): CompileSpecification {
  return {
    path,
    device,
    properties,
    mapping: NO_MAPPING,
    shapes: [],
    layouts: [],
    batch: null,
    preprocessing: NO_PREPROCESSING,
    stateful: null,
    joinedRows: null,
  };
}

export const NO_PREPROCESSING: Preprocessing = Object.freeze({ mean: [], scale: [], color: null, elementType: null });

/** A compiled model as OpenVINO describes it; ports in OpenVINO's order, which is that of the binding table. */
export interface ModelDescription {
  readonly inputs: readonly PortDescription[];
  readonly outputs: readonly PortDescription[];
  /** `OPTIMAL_NUMBER_OF_INFER_REQUESTS`, 1 when the device does not tell. */
  readonly optimalInferRequests: number;
  /** `NUM_STREAMS`, 1 when the device does not tell. */
  readonly streams: number;
  /**
   * The values of a request can make an inference fail after it has begun: an operation is not known to take every value,
   * or a shape is only known then.
   */
  readonly mayFailInside: boolean;
  /** Infer requests remember something from one inference to the next. */
  readonly hasState: boolean;
  /**
   * What was done about constants that the streams of a model share, because OpenVINO would not answer rightly: some were folded, or the
   * model has one stream where several were asked for.
   */
  readonly sharedConstants: 'untouched' | 'folded' | 'one stream';
  /** The device found it compiled in CACHE_DIR; false where it does not tell. */
  readonly loadedFromCache: boolean;
  /** Why each combination of input shapes is compiled by itself; absent when one compilation serves all of them. */
  readonly compiledByShape?: string;
  /** `rt_info/model_info` of the model file; `null` when it has none. */
  readonly modelInfo: ModelInfo | null;
}

/** What a model says of itself: every value is a text, whatever it was in the file. */
export interface ModelInfo {
  readonly [name: string]: string | ModelInfo;
}

/** What to ask a model in a trial, with numbers that depend on the seed alone; a shorter tensor has the first ones of a longer one. */
export interface TrialQuestion {
  /** Of each input, in port order. */
  readonly shapes: readonly (readonly number[])[];
  /**
   * Even: floating point from -1 to 1; odd: from 0 to 255. Integers of 8 bits have their whole range, those of 16 bits are from 0 to
   * 255, others are 0 or 1, because they may be places in a table.
   */
  readonly seed: number;
  /** Infer requests at once. */
  readonly requests: number;
}

export interface TrialAnswer {
  /** In port order; none when the inference failed. */
  readonly outputs: readonly TrialTensor[];
  /** Why the inference failed; empty when it did not. */
  readonly fault: string;
}

export interface TrialTensor {
  readonly elementType: string;
  readonly shape: readonly number[];
  /** As they lie in OpenVINO's memory; of strings, each with its length of eight bytes in front. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PortDescription {
  /**
   * What clients call it: the mapped name, else its own. That is the first name of its tensor that no port before has. A nameless port
   * is called `in_<index>` or `out_<index>`; where a port has that name, the number of ports is added to the index.
   */
  readonly name: string;
  /** All tensor names that the model itself gives, sorted; empty for a nameless port. */
  readonly names: readonly string[];
  /** OpenVINO's name of the element type, for example `f32`. */
  readonly elementType: string;
  /** `[min, max]` a dimension, max -1 when unbounded; `null` when the rank is unknown. */
  readonly dimensions: readonly (readonly [number, number])[] | null;
  /** Layout in OpenVINO's text without brackets, for example `NHWC` or `N...`; empty when the model does not say. */
  readonly layout: string;
}

/** What to load and how to initialize it. */
export interface CustomNodeSpecification {
  /** Absolute path of the shared library. */
  readonly libraryPath: string;
  /** Handed to every function of the library that takes params, in this order. */
  readonly params: readonly (readonly [key: string, value: string])[];
}

/** A custom node as its library describes it, ports in the library's order. */
export interface CustomNodeDescription {
  readonly inputs: readonly CustomNodePort[];
  readonly outputs: readonly CustomNodePort[];
}

export interface CustomNodePort {
  readonly name: string;
  /** Libraries know fewer precisions than OpenVINO. */
  readonly precision: CustomNodePrecision;
  /** One at least; 0 when dynamic. */
  readonly dimensions: readonly number[];
}

export type CustomNodePrecision = Extract<
  Precision,
  'FP64' | 'FP32' | 'FP16' | 'I64' | 'I32' | 'I16' | 'I8' | 'U16' | 'U8'
>;

/** A tensor that an execution returned; here 0 is an empty dimension. */
export interface CustomNodeOutput extends CustomNodePort {
  readonly byteLength: number;
}

/** The numbers of `native/core/status.h`, in the same order. */
export const NATIVE_STATUS = [
  'OK',
  'BINDING_FAILED',
  'INFERENCE_FAILED',
  'CANCELLED',
  'OUTPUT_FAILED',
  'READ_FAILED',
  'RESHAPE_FAILED',
  'COMPILE_FAILED',
  'LAYOUT_FAILED',
  'EXTENSION_FAILED',
  'NOT_COMPILED',
  'INTERNAL',
  'LIBRARY_FAILED',
  'INITIALIZE_FAILED',
  'METADATA_FAILED',
  'NOT_INITIALIZED',
  'CUSTOM_NODE_FAILED',
  'CUSTOM_OUTPUTS_CORRUPTED',
  'CUSTOM_OUTPUT_COUNT_CORRUPTED',
  'CUSTOM_OUTPUT_NAME_MISSING',
  'CUSTOM_OUTPUT_PRECISION',
  'CUSTOM_OUTPUT_SHAPE',
  'CUSTOM_OUTPUT_CONTENT_SIZE',
  'PREPROCESSING_FAILED',
  'SEQUENCE_MISSING',
  'SEQUENCE_EXISTS',
  'SEQUENCE_TERMINATED',
  'SEQUENCE_LIMIT',
  'BATCHING_FAILED',
  'SHARED_MEMORY_EXISTS',
  'SHARED_MEMORY_MISSING',
  'SHARED_MEMORY_OPEN',
  'SHARED_MEMORY_INVALID',
  'SHARED_MEMORY_BROKEN',
  'SHARED_MEMORY_LIMIT',
  'NOT_JOINED',
  'NAMES_FAILED',
] as const;
export type NativeStatusName = (typeof NATIVE_STATUS)[number];
