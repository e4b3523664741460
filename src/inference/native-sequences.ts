import type { CompiledModelHandle, NativeBinding, SequenceTurnHandle } from '../native/binding.js';
import { fromNativeError, fromNativeStatus } from '../native/errors.js';
import type { CompletionRing } from './completion-ring.js';
import type { SequenceRequest, Sequences, SequenceTurn } from './inference.js';

/** The sequences of a compiled model as this thread sees them: their state, their order and their limit are native code's. */
export class NativeSequences implements Sequences {
  readonly #binding: NativeBinding;
  readonly #ring: CompletionRing;
  readonly #model: CompiledModelHandle;

  constructor(binding: NativeBinding, ring: CompletionRing, model: CompiledModelHandle) {
    this.#binding = binding;
    this.#ring = ring;
    this.#model = model;
  }

  async enter({ sequenceId, control }: SequenceRequest, signal: AbortSignal): Promise<SequenceTurn> {
    signal.throwIfAborted();
    const turn = this.#enter(sequenceId, control);
    try {
      if (!this.#binding.hasTurn(turn)) await this.#wait(turn, signal);
      return new NativeTurn(this.#binding, turn);
    } catch (error) {
      this.#binding.finishTurn(turn, false);
      throw error;
    }
  }

  #enter(sequenceId: bigint, control: number): SequenceTurnHandle {
    try {
      return this.#binding.enterSequence(this.#model, sequenceId, control);
    } catch (error) {
      throw fromNativeError(error);
    }
  }

  /** One whose turn has come while it was being withdrawn has had it, and gives it back. */
  #wait(turn: SequenceTurnHandle, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const withdraw = (): void => void this.#binding.withdrawTurn(turn);
      this.#ring.awaitTurn(turn, {
        complete: (status, _, text) => {
          signal.removeEventListener('abort', withdraw);
          if (signal.aborted) reject(signal.reason as Error);
          else if (status === 0) resolve();
          else reject(fromNativeStatus(status, text));
        },
      });
      signal.addEventListener('abort', withdraw);
    });
  }
}

class NativeTurn implements SequenceTurn {
  readonly #binding: NativeBinding;
  readonly handle: SequenceTurnHandle;
  readonly sequenceId: bigint;

  constructor(binding: NativeBinding, handle: SequenceTurnHandle) {
    this.#binding = binding;
    this.handle = handle;
    this.sequenceId = binding.sequenceOf(handle);
  }

  abandon(): void {
    this.#binding.abandonTurn(this.handle);
  }

  end(commit: boolean): void {
    this.#binding.finishTurn(this.handle, commit);
  }
}

/** What native code knows a turn by. */
export function turnHandle(turn: SequenceTurn): SequenceTurnHandle {
  if (!(turn instanceof NativeTurn)) throw new TypeError('the turn was not made by the native backend');
  return turn.handle;
}
