/** Reads bytes and little-endian words one after another. Each method throws an Error where the bytes end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  /** The next byte. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw this.#end();
    this.at += 1;
    return byte;
  }

  word(): number {
    return this.byte() | (this.byte() << 8);
  }

  /** A view of the next bytes. */
  bytes(count: number): Uint8Array {
    this.skip(count);
    return this.#bytes.subarray(this.at - count, this.at);
  }

  /** The next bytes as Latin-1. */
  text(count: number): string {
    return Buffer.from(this.bytes(count)).toString('latin1');
  }

  skip(count: number): void {
    if (this.at + count > this.#bytes.byteLength) throw this.#end();
    this.at += count;
  }

  #end(): Error {
    return new Error(`the file ends at byte ${this.#bytes.byteLength}`);
  }
}
