import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import {
  BINDING_STRIDE,
  COMPLETION_STRIDE,
  type CompileSpecification,
  type CompiledModelHandle,
  type CustomExecutionHandle,
  type CustomNodeHandle,
  type InferRequestHandle,
  NATIVE_STATUS,
  type NativeStatusName,
  plainSpecification,
  type SequenceTurnHandle,
  UNBOUND,
} from '#src/native/binding.js';
import { loadNativeBinding } from '#src/native/load.js';

export const binding = loadNativeBinding();

/** How often a model is compiled whose compiles may differ. The sanitizer's run says 1: it is after the addon's memory, not OpenVINO's. */
export const COMPILES = Number(process.env['VINERY_TEST_COMPILES'] ?? 3);

/** A folder that goes when the tests of the file have run. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'vinery-native-'));
  after(() => rmSync(directory, { recursive: true }));
  return directory;
}

export function specification(path: string, changes: Partial<CompileSpecification> = {}): CompileSpecification {
  return { ...plainSpecification(path, 'CPU', {}), ...changes };
}

/** As inline inference wants it: one stream of one thread. */
export const INLINE_PROPERTIES = { NUM_STREAMS: 1, INFERENCE_NUM_THREADS: 1 } as const;

/** Compiles into a new entry and opens it. */
export function compile(path: string, changes: Partial<CompileSpecification> = {}): CompiledModelHandle {
  const modelId = binding.reserveModel();
  binding.compileModel(modelId, specification(path, changes));
  return binding.openModel(modelId);
}

export interface TestSlab {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
  readonly longs: BigInt64Array;
}

export function newSlab(byteLength: number): TestSlab {
  return registerSlab(new SharedArrayBuffer(byteLength));
}

export function registerSlab(buffer: SharedArrayBuffer): TestSlab {
  const bytes = new Uint8Array(buffer);
  const id = binding.registerSlab(bytes);
  return { id, bytes, floats: new Float32Array(buffer), longs: new BigInt64Array(buffer) };
}

/** Where a port lies: `null` leaves it unbound. */
export type Place = { readonly slab: number; readonly offset: number; readonly shape: readonly number[] } | null;

function rowOf(place: Place): number[] {
  return place === null ? [UNBOUND] : [place.slab, place.offset, place.shape.length, ...place.shape];
}

/** An infer request with its table, inputs first. */
export class TestRequest {
  readonly table: Float64Array;
  readonly handle: InferRequestHandle;

  constructor(model: CompiledModelHandle, ...places: readonly Place[]) {
    this.table = new Float64Array(places.length * BINDING_STRIDE);
    places.forEach((place, port) => this.bind(port, place));
    this.handle = this.make(model);
  }

  protected make(model: CompiledModelHandle): InferRequestHandle {
    return binding.createInferRequest(model, this.table);
  }

  bind(port: number, place: Place): this {
    this.table.set(rowOf(place), port * BINDING_STRIDE);
    return this;
  }

  /** What the table says of a port's shape. */
  shape(port: number): number[] {
    const start = port * BINDING_STRIDE + 3;
    return [...this.table.subarray(start, start + this.table[start - 1]!)];
  }

  infer(): Outcome {
    const status = NATIVE_STATUS[binding.infer(this.handle, INLINE_TOKEN)]!;
    return { status, text: binding.takeError(INLINE_TOKEN) };
  }

  /** Starts and resolves with what came through the completion ring. */
  start(): Promise<Outcome> {
    return started((token) => binding.start(this.handle, token)).outcome;
  }

  /** As `start`, with the state of a sequence. */
  startInTurn(turn: SequenceTurnHandle): Promise<Outcome> {
    return started((token) => binding.startInTurn(this.handle, turn, token)).outcome;
  }
}

/** One that copies small inputs instead of having them bound. */
export class CopyingRequest extends TestRequest {
  protected override make(model: CompiledModelHandle): InferRequestHandle {
    return binding.createInferRequest(model, this.table, true);
  }
}

/** Resolves with what the completion ring says of a turn. */
export function awaitTurn(turn: SequenceTurnHandle): Promise<Outcome> {
  return started((token) => binding.awaitTurn(turn, token)).outcome;
}

/** Starts an execution of a custom node over inputs in the order of its description. */
export function startCustomNode(
  node: CustomNodeHandle,
  ...inputs: readonly Place[]
): { readonly handle: CustomExecutionHandle; readonly outcome: Promise<Outcome> } {
  const table = new Float64Array(inputs.length * BINDING_STRIDE);
  inputs.forEach((place, index) => table.set(rowOf(place), index * BINDING_STRIDE));
  const { handle, outcome } = started((token) => binding.startCustomNode(node, table, token));
  return { handle, outcome };
}

/** Initializes a custom node in a new entry and opens it. */
export function openCustomNode(libraryPath: string, params: Readonly<Record<string, string>> = {}): CustomNodeHandle {
  const customNodeId = binding.reserveCustomNode();
  binding.initializeCustomNode(customNodeId, { libraryPath, params: Object.entries(params) });
  const node = binding.openCustomNode(customNodeId);
  binding.releaseCustomNode(customNodeId);
  return node;
}

/** Waits for what `start` starts under a token of its own. */
function started<T>(start: (token: number) => T): { readonly handle: T; readonly outcome: Promise<Outcome> } {
  openCompletionsOnce();
  const token = freeTokens.pop() ?? nextToken++;
  const outcome = new Promise<Outcome>((resolve) => waiting.set(token, resolve));
  return { handle: start(token), outcome };
}

export interface Outcome {
  readonly status: NativeStatusName;
  readonly text: string;
}

const INLINE_TOKEN = 0;
let nextToken = 1;
const freeTokens: number[] = [];
const waiting = new Map<number, (outcome: Outcome) => void>();
let records: Int32Array | undefined;

function openCompletionsOnce(): void {
  if (records !== undefined) return;
  // Room for a few only, so that tests with many inferences cross several times in one wake.
  records = new Int32Array(4 * COMPLETION_STRIDE);
  binding.openCompletions(records, drain);
}

function drain(count: number): void {
  for (let index = 0; index < count; index++) {
    const token = records![index * COMPLETION_STRIDE]!;
    const status = NATIVE_STATUS[records![index * COMPLETION_STRIDE + 1]!]!;
    const resolve = waiting.get(token)!;
    waiting.delete(token);
    freeTokens.push(token);
    resolve({ status, text: binding.takeError(token) });
  }
}
