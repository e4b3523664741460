import { readFileSync } from 'node:fs';

/** Requests as bytes, and the bytes that each was first answered with. */
export class RequestSet {
  readonly #requests: readonly Buffer[];
  readonly #answers: (Buffer | null)[];

  /** @param file messages, each behind its length as a little-endian u32 */
  constructor(file: string) {
    this.#requests = split(readFileSync(file));
    if (this.#requests.length === 0) throw new Error(`expected requests in ${file}, found none`);
    this.#answers = this.#requests.map(() => null);
  }

  get count(): number {
    return this.#requests.length;
  }

  request(number: number): Buffer {
    return this.#requests[number]!;
  }

  /** In hexadecimal digits, by request; `null` for a request that was not asked. */
  get answers(): readonly (string | null)[] {
    return this.#answers.map((answer) => answer?.toString('hex') ?? null);
  }

  /** @throws Error when the answer differs from the one the request got before */
  check(number: number, response: Buffer): void {
    const known = this.#answers[number] ?? null;
    if (known === null) this.#answers[number] = response;
    else if (!known.equals(response)) throw new Error(`request ${number} was answered otherwise than before`);
  }
}

function split(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    messages.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return messages;
}
