import {
  COMPLETION_STRIDE,
  type CustomExecutionHandle,
  type CustomNodeHandle,
  type InferRequestHandle,
  type NativeBinding,
} from '../native/binding.js';

/** Completions drained in one crossing; more of them take another one. */
const RING_RECORDS = 256;

const rings = new WeakMap<NativeBinding, CompletionRing>();

/** Who is told of the end of an inference or of the execution of a custom node. */
export interface CompletionListener {
  /**
   * Called once, on the thread that started. An infer request is idle again and may be started at once.
   *
   * @param status number of a `NativeStatus`; 0 is well.
   * @param micros time of the inference or execution alone.
   * @param text what OpenVINO or the library said of a failure, else empty.
   */
  complete(status: number, micros: number, text: string): void;
}

/**
 * The completion ring of this thread's environment. Native code opens it once per environment, so whatever infers or
 * executes on one thread shares it: tokens are handed out here and nowhere else.
 * A listener, and what it refers to, is held only from start to completion.
 */
export class CompletionRing {
  readonly #binding: NativeBinding;
  readonly #records = new Int32Array(RING_RECORDS * COMPLETION_STRIDE);
  /** Listeners by token; tokens are indices and are used again. */
  readonly #running: (CompletionListener | null)[] = [];
  readonly #freeTokens: number[] = [];

  /** The ring of the environment that `binding` was loaded into; opened at the first call. */
  static of(binding: NativeBinding): CompletionRing {
    let ring = rings.get(binding);
    if (ring === undefined) rings.set(binding, (ring = new CompletionRing(binding)));
    return ring;
  }

  private constructor(binding: NativeBinding) {
    this.#binding = binding;
    binding.openCompletions(this.#records, (count) => {
      this.#drain(count);
    });
  }

  /** Starts an idle infer request. Throws, and calls nobody, when the request is closed or running. */
  start(request: InferRequestHandle, listener: CompletionListener): void {
    const token = this.#listen(listener);
    try {
      this.#binding.start(request, token);
    } catch (error) {
      this.#freeToken(token);
      throw error;
    }
  }

  /** Starts an execution over the tensors of `table`. Throws, and calls nobody, when the node is closed. */
  startCustomNode(node: CustomNodeHandle, table: Float64Array, listener: CompletionListener): CustomExecutionHandle {
    const token = this.#listen(listener);
    try {
      return this.#binding.startCustomNode(node, table, token);
    } catch (error) {
      this.#freeToken(token);
      throw error;
    }
  }

  /** Infers on this thread and waits. Throws when the request is closed or running. */
  infer(request: InferRequestHandle): { readonly status: number; readonly text: string } {
    const token = this.#takeToken();
    try {
      const status = this.#binding.infer(request, token);
      return { status, text: status === 0 ? '' : this.#binding.takeError(token) };
    } finally {
      this.#freeToken(token);
    }
  }

  /** Native code leaves the records alone until this returns, whatever is started meanwhile. */
  #drain(count: number): void {
    for (let start = 0; start < count * COMPLETION_STRIDE; start += COMPLETION_STRIDE) {
      const token = this.#records[start]!;
      const status = this.#records[start + 1]!;
      const listener = this.#running[token]!;
      const text = status === 0 ? '' : this.#binding.takeError(token);
      this.#freeToken(token);
      listener.complete(status, this.#records[start + 2]!, text);
    }
  }

  #listen(listener: CompletionListener): number {
    const token = this.#takeToken();
    this.#running[token] = listener;
    return token;
  }

  #takeToken(): number {
    return this.#freeTokens.pop() ?? this.#running.push(null) - 1;
  }

  #freeToken(token: number): void {
    this.#running[token] = null;
    this.#freeTokens.push(token);
  }
}
