import { BindingTable, type BoundTensor } from '../inference/binding-table.js';
import type { CompiledModelHandle, InferRequestHandle } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import { REGION_ALIGNMENT } from '../tensors/arena.js';

/** For `takeError`; one inference at a time runs on this thread. */
const TOKEN = 0;

/** An infer request that tries a compiled model on the calling thread, over memory of its own. Whoever makes it closes it. */
export class TrialRequest {
  readonly #binding = loadNativeBinding();
  readonly #inputs: number;
  readonly #model: CompiledModelHandle;
  readonly #table: BindingTable;
  readonly #request: InferRequestHandle;
  /** Zeros at first. */
  readonly buffer: SharedArrayBuffer;
  readonly slabId: number;
  /** Of each port, inputs first: where its room in the buffer begins. */
  readonly byteOffsets: readonly number[];

  /** @param bytes room for each port, inputs first. */
  constructor(modelId: number, inputs: number, bytes: readonly number[]) {
    let end = 0;
    this.byteOffsets = bytes.map((size) => {
      const start = end;
      end += Math.ceil(size / REGION_ALIGNMENT) * REGION_ALIGNMENT;
      return start;
    });
    this.#inputs = inputs;
    this.buffer = new SharedArrayBuffer(Math.max(1, end));
    this.#table = new BindingTable(inputs, bytes.length - inputs);
    this.#model = this.#binding.openModel(modelId);
    this.#request = this.#binding.createInferRequest(this.#model, this.#table.numbers);
    this.slabId = this.#binding.registerSlab(new Uint8Array(this.buffer));
  }

  /** Tells where the next inferences have their tensors, inputs first. @returns whether they can be told. */
  bind(places: readonly BoundTensor[]): boolean {
    return this.#table.write(places.slice(0, this.#inputs), places.slice(this.#inputs)) === null;
  }

  /** @returns whether the inference succeeded. */
  infer(): boolean {
    if (this.#binding.infer(this.#request, TOKEN) === 0) return true;
    this.#binding.takeError(TOKEN);
    return false;
  }

  close(): void {
    this.#binding.closeInferRequest(this.#request);
    this.#binding.unregisterSlab(this.slabId);
    this.#binding.closeModel(this.#model);
  }
}
