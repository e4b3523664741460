import { callHeaders, END_HEADERS, END_STREAM, frame, FRAME, PREFACE } from './http2-frames.js';
import { grpcFrame } from './http2-call.js';
import { connectRaw, type RawConnection } from './raw-socket.js';

/** A frame as it came. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const HEAD_BYTES = 9;
/** Of a connection and of a stream, unless a client says something else. */
export const DEFAULT_WINDOW = 65_535;
/** Room for any answer, and for more increments. */
export const LARGE_WINDOW = 2 ** 30;
export const ACK = 1;
/** Of a GOAWAY that only announces the last one. */
export const NO_LAST_STREAM = 2 ** 31 - 1;

/** An HTTP/2 client that says what it is told to and nothing else: no acknowledgement and no window comes by itself. */
export class RawHttp2 {
  readonly frames: ReceivedFrame[] = [];
  readonly ended: RawConnection['ended'];
  readonly socket: RawConnection['socket'];
  #rest = Buffer.alloc(0);
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  private constructor({ socket, ended }: RawConnection) {
    this.socket = socket;
    this.ended = ended;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    void ended.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** Connects and says hello, with windows of this size. */
  static async open(port: number, windows = LARGE_WINDOW): Promise<RawHttp2> {
    const client = new RawHttp2(await connectRaw(port));
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(4, 0);
    settings.writeUInt32BE(windows, 2);
    client.send(PREFACE, frame(FRAME.SETTINGS, 0, 0, settings));
    if (windows > DEFAULT_WINDOW) client.send(windowUpdate(0, windows - DEFAULT_WINDOW));
    await client.next((each) => each.type === FRAME.SETTINGS && each.flags === 0);
    client.send(frame(FRAME.SETTINGS, ACK, 0));
    return client;
  }

  send(...parts: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** The first frame like this, past or to come; rejects when the connection has ended before. */
  next(isLike: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = this.frames.find(isLike);
        if (found === undefined && !this.#isOver) return;
        this.#waiting.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`ended after ${this.frames.map(({ type }) => type).join()}`));
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves with the bytes of the answer once its trailers are there. */
  async answer(stream: number): Promise<Buffer> {
    await this.next((each) => each.stream === stream && (each.flags & END_STREAM) !== 0);
    const data = this.frames.filter((each) => each.stream === stream && each.type === FRAME.DATA);
    return Buffer.concat(data.map(({ payload }) => payload));
  }

  /** Frames of this kind so far. */
  of(type: number): readonly ReceivedFrame[] {
    return this.frames.filter((each) => each.type === type);
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.byteLength >= HEAD_BYTES) {
      const end = HEAD_BYTES + this.#rest.readUIntBE(0, 3);
      if (this.#rest.byteLength < end) break;
      this.frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        stream: this.#rest.readUInt32BE(5),
        payload: this.#rest.subarray(HEAD_BYTES, end),
      });
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}

export function windowUpdate(stream: number, increment: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(increment);
  return frame(FRAME.WINDOW_UPDATE, 0, stream, payload);
}

export function resetStream(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(code);
  return frame(FRAME.RST_STREAM, 0, stream, payload);
}

/** A whole call of a small message. */
export function wholeCall(
  stream: number,
  path: string,
  message: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Buffer {
  return Buffer.concat([
    callHeaders(stream, path, END_HEADERS, headers),
    frame(FRAME.DATA, END_STREAM, stream, grpcFrame(message)),
  ]);
}

/** The last stream that a GOAWAY promises to serve. */
export function lastStreamOf({ payload }: ReceivedFrame): number {
  return payload.readUInt32BE(0);
}
