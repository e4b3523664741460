import { ServingError, type ErrorCode } from '../errors.js';

/** An answer as it crosses a port. Errors lose their class between threads, so one crosses as its code and detail. */
export type Answered<T> = { readonly value: T } | { readonly code: ErrorCode; readonly detail: string };

/** Questions put to the other end of a port and not answered yet. */
export class Questions<T> {
  readonly #open = new Map<number, Waiting<T>>();
  #last = 0;

  /**
   * @param send puts the question under this number.
   * @throws ServingError of the answer, or of {@link abandon}
   */
  ask(send: (id: number) => void): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject });
      send(id);
    });
  }

  answered(id: number, answer: Answered<T>): void {
    const waiting = this.#open.get(id);
    this.#open.delete(id);
    if ('value' in answer) waiting?.resolve(answer.value);
    else waiting?.reject(new ServingError(answer.code, answer.detail));
  }

  /** The other end is gone. */
  abandon(error: ServingError): void {
    for (const { reject } of this.#open.values()) reject(error);
    this.#open.clear();
  }
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: ServingError) => void;
}

/**
 * What to send for a question.
 *
 * @param onBug told of whatever is no `ServingError`; the other end gets INTERNAL_ERROR.
 */
export async function answerOf<T>(give: () => Promise<T>, onBug: (error: unknown) => void): Promise<Answered<T>> {
  try {
    return { value: await give() };
  } catch (error) {
    if (error instanceof ServingError) return { code: error.code, detail: error.detail };
    onBug(error);
    return { code: 'INTERNAL_ERROR', detail: '' };
  }
}
