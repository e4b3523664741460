import { workerData } from 'piscina';
import {
  NATIVE_STATUS,
  type CompiledModelHandle,
  type InferRequestHandle,
  type NativeBinding,
} from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import type { Precision } from '../tensors/precision.js';
import type { Shape } from '../tensors/shape.js';
import { BindingTable, type BoundTensor } from './binding-table.js';

/** One inference of one node, run to its end in a worker of the node executor's piscina pool. */
export interface NodeTask {
  readonly modelId: number;
  readonly inputs: readonly TaskTensor[];
  /** `allocate`: the shape is not known; `discard`: nobody reads it. */
  readonly outputs: readonly (TaskTensor | 'allocate' | 'discard')[];
  /** For `allocate`, the precision of each output. */
  readonly outputPrecisions: readonly Precision[];
}

/** A tensor in shared memory: the worker reads and writes the same bytes as the owner worker. */
export interface TaskTensor {
  readonly buffer: SharedArrayBuffer;
  readonly byteOffset: number;
  readonly shape: Shape;
}

export interface NodeTaskResult {
  /** Number of a {@link NATIVE_STATUS}. */
  readonly status: number;
  /** What OpenVINO said when the status is not OK. */
  readonly text: string;
  readonly inferMicros: number;
  /** Outputs that were to be allocated; the others are `null`. */
  readonly allocated: readonly ({ readonly shape: Shape; readonly bytes: Uint8Array } | null)[];
}

/** One infer request a thread and model: a worker runs one task at a time. */
interface ThreadModel {
  readonly model: CompiledModelHandle;
  readonly request: InferRequestHandle;
  readonly table: BindingTable;
}

const TOKEN = 0;
const models = new Map<number, ThreadModel>();
/** How many models the owner worker has released, and how many of them this thread has heard of. */
const releases = workerData as Int32Array;
let heardReleases = 0;

/**
 * Entry point of the pool's workers. Slabs are made known for the length of one task: a slab that the arena has given back must not
 * be kept alive by a worker that happens to be idle.
 */
export default function run(task: NodeTask): NodeTaskResult {
  const binding = loadNativeBinding();
  closeReleased();
  const opened = models.get(task.modelId) ?? open(binding, task);
  const slabs = new Map<SharedArrayBuffer, number>();
  const place = (tensor: TaskTensor): BoundTensor => {
    let slabId = slabs.get(tensor.buffer);
    if (slabId === undefined) slabs.set(tensor.buffer, (slabId = binding.registerSlab(new Uint8Array(tensor.buffer))));
    return { slabId, byteOffset: tensor.byteOffset, shape: tensor.shape };
  };
  try {
    return infer(
      binding,
      opened,
      task,
      task.inputs.map(place),
      task.outputs.map((output) => (typeof output === 'string' ? output : place(output))),
    );
  } finally {
    for (const slabId of slabs.values()) binding.unregisterSlab(slabId);
  }
}

/** Closes what this thread has open of models that the owner worker has released: it would keep their memory. */
export function closeReleased(): void {
  const released = Atomics.load(releases, 0);
  if (released === heardReleases) return;
  heardReleases = released;
  const binding = loadNativeBinding();
  for (const [modelId, { model, request }] of models) {
    if (binding.isModelKnown(modelId)) continue;
    models.delete(modelId);
    binding.closeInferRequest(request);
    binding.closeModel(model);
  }
}

function open(binding: NativeBinding, { modelId, inputs, outputs }: NodeTask): ThreadModel {
  const model = binding.openModel(modelId);
  const table = new BindingTable(inputs.length, outputs.length);
  const opened = { model, table, request: binding.createInferRequest(model, table.numbers) };
  models.set(modelId, opened);
  return opened;
}

function infer(
  binding: NativeBinding,
  { request, table }: ThreadModel,
  { outputs, outputPrecisions }: NodeTask,
  inputs: readonly BoundTensor[],
  targets: readonly (BoundTensor | 'allocate' | 'discard')[],
): NodeTaskResult {
  const fault = table.write(inputs, targets);
  if (fault !== null)
    return { status: NATIVE_STATUS.indexOf('BINDING_FAILED'), text: fault, inferMicros: 0, allocated: [] };
  const started = performance.now();
  const status = binding.infer(request, TOKEN);
  const inferMicros = Math.round((performance.now() - started) * 1000);
  if (status !== 0) return { status, text: binding.takeError(TOKEN), inferMicros, allocated: [] };
  const allocated = outputs.map((output, index) =>
    output === 'allocate' ? fetch(binding, request, index, table, outputPrecisions[index]!) : null,
  );
  return { status, text: '', inferMicros, allocated };
}

function fetch(
  binding: NativeBinding,
  request: InferRequestHandle,
  index: number,
  table: BindingTable,
  precision: Precision,
): { readonly shape: Shape; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(new SharedArrayBuffer(table.outputBytes(index, precision)));
  const slabId = binding.registerSlab(bytes);
  try {
    binding.copyOutput(request, index, slabId, 0);
    return { shape: table.outputShape(index), bytes };
  } finally {
    binding.unregisterSlab(slabId);
  }
}
