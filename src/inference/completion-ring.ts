import {
  COMPLETION_STRIDE,
  type CustomExecutionHandle,
  type CustomNodeHandle,
  type InferRequestHandle,
  type NativeBinding,
  type SequenceTurnHandle,
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
  readonly #notices = new Map<number, () => void>();

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

  /** Has `listener` called at every notice of a negative token, until another one or `null` takes its place. */
  onNotice(token: number, listener: (() => void) | null): void {
    if (listener === null) this.#notices.delete(token);
    else this.#notices.set(token, listener);
  }

  /**
   * Starts an idle infer request. Throws, and calls nobody, when the request is closed or running.
   *
   * @param turn with the state of a sequence, in this turn of it.
   */
  start(request: InferRequestHandle, listener: CompletionListener, turn: SequenceTurnHandle | null = null): void {
    this.#started(listener, (token) => {
      if (turn === null) this.#binding.start(request, token);
      else this.#binding.startInTurn(request, turn, token);
    });
  }

  /** Tells when a turn has come; once a turn. */
  awaitTurn(turn: SequenceTurnHandle, listener: CompletionListener): void {
    this.#started(listener, (token) => this.#binding.awaitTurn(turn, token));
  }

  /** Starts an execution over the tensors of `table`. Throws, and calls nobody, when the node is closed. */
  startCustomNode(node: CustomNodeHandle, table: Float64Array, listener: CompletionListener): CustomExecutionHandle {
    return this.#started(listener, (token) => this.#binding.startCustomNode(node, table, token));
  }

  /** Infers on this thread and waits. Throws when the request is closed or running. */
  infer(request: InferRequestHandle): { readonly status: number; readonly text: string } {
    const token = this.takeToken();
    try {
      const status = this.#binding.infer(request, token);
      return { status, text: status === 0 ? '' : this.#binding.takeError(token) };
    } finally {
      this.freeToken(token);
    }
  }

  /** For inferences on this thread, of whose end the ring does not tell; nobody else gets it until {@link freeToken}. */
  takeToken(): number {
    return this.#freeTokens.pop() ?? this.#running.push(null) - 1;
  }

  freeToken(token: number): void {
    this.#running[token] = null;
    this.#freeTokens.push(token);
  }

  /** Native code leaves the records alone until this returns, whatever is started meanwhile. */
  #drain(count: number): void {
    for (let start = 0; start < count * COMPLETION_STRIDE; start += COMPLETION_STRIDE) {
      const token = this.#records[start]!;
      if (token < 0) {
        this.#notices.get(token)?.();
        continue;
      }
      const status = this.#records[start + 1]!;
      const listener = this.#running[token]!;
      const text = status === 0 ? '' : this.#binding.takeError(token);
      this.freeToken(token);
      listener.complete(status, this.#records[start + 2]!, text);
    }
  }

  /** The listener must be known before native code can report, and is forgotten when that has refused to start. */
  #started<T>(listener: CompletionListener, start: (token: number) => T): T {
    const token = this.takeToken();
    this.#running[token] = listener;
    try {
      return start(token);
    } catch (error) {
      this.freeToken(token);
      throw error;
    }
  }
}
