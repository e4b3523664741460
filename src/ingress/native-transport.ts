import { ServingError } from '../errors.js';
import { ScatteredMessage } from '../frontends/protobuf/scattered-message.js';
import {
  apiOfPath,
  failureOf,
  type RpcAnswer,
  type RpcMethod,
  type RpcService,
  type RpcStream,
} from '../frontends/rpc.js';
import { CompletionRing } from '../inference/completion-ring.js';
import type { NativeBinding } from '../native/binding.js';
import {
  INGRESS_EVENT,
  INGRESS_EVENT_STRIDE,
  INGRESS_FLAG,
  INGRESS_TOKEN,
  type IngressLimits,
} from '../native/ingress-binding.js';
import type { Arena, Lease } from '../tensors/arena.js';
import { AnswerTable } from './answer-table.js';
import { inflateMessage, isCompressed } from './inflate.js';
import { IngressCall } from './ingress-call.js';
import { IngressStream, type StreamEnds } from './ingress-stream.js';
import { MessageRegions, NO_REGION } from './message-regions.js';
import { refusalError } from './refusal.js';

/** Events taken in one crossing; more of them take another one. */
const EVENTS = 256;
const OK = 0;
const NO_BYTES = new Uint8Array(0);
const NO_TEXTS: readonly string[] = [];

export interface NativeTransportOptions {
  readonly binding: NativeBinding;
  readonly arena: Arena;
  readonly service: RpcService;
  /** Where requests have their tensors, by path of the method: field numbers from the message down. */
  readonly contents: ReadonlyMap<string, readonly number[]>;
  readonly limits: IngressLimits;
  /** Bytes of messages that are received or worked on at a time. */
  readonly memoryBytes: number;
  /** Whether this thread's event loop drives the sockets, and not a thread of their own. */
  readonly sharesLoop: boolean;
  /** Listening sockets, which belong to the transport from here on. */
  readonly descriptors: readonly number[];
  /** Hears of faults that are not of the catalogue; the client gets INTERNAL. */
  readonly onBug: (error: unknown) => void;
  /** Hears of connections that were closed for what their clients did. */
  readonly onNotice: (text: string) => void;
}

/**
 * gRPC by the addon's own HTTP/2. This side runs the methods: it takes events, hands the bytes of messages on where they were
 * received, and gives answers back. One an environment.
 */
export class NativeTransport {
  readonly #options: NativeTransportOptions;
  readonly #binding: NativeBinding;
  readonly #ring: CompletionRing;
  readonly #methods: readonly Method[];
  readonly #records = new Float64Array(EVENTS * INGRESS_EVENT_STRIDE);
  readonly #regions: MessageRegions;
  readonly #table = new AnswerTable();
  readonly #calls = new Map<number, IngressCall>();
  readonly #streams = new Map<number, IngressStream>();
  /** Calls that their clients had left before their methods began, until that is told. */
  readonly #withdrawn = new Map<number, IngressCall>();
  /** What to do when the regions of a call, or a message of its stream, are sent. */
  readonly #sending = new Map<number, () => void>();
  readonly #streamEnds: StreamEnds = {
    next: ({ number }) => this.#binding.continueCall(number),
    send: (call, message) => this.#sendOfStream(call, message),
    finish: (call, error) => this.#finishStream(call, error),
  };
  #drained: (() => void) | null = null;
  #closed: Promise<void> | null = null;
  #settled: (() => void) | null = null;

  /** Accepts from here on. */
  constructor(options: NativeTransportOptions) {
    const { binding, arena, service, contents, limits, memoryBytes, sharesLoop, descriptors } = options;
    this.#options = options;
    this.#binding = binding;
    this.#ring = CompletionRing.of(binding);
    this.#regions = new MessageRegions(binding, arena, memoryBytes);
    this.#methods = [...service].map(([path, run]) => ({ path, run, api: apiOfPath(path) }));
    const methods = this.#methods.map(({ path, run }) => ({
      path,
      streaming: typeof run !== 'function',
      content: contents.get(path) ?? [],
    }));
    this.#ring.onNotice(INGRESS_TOKEN, () => this.#takeEvents());
    binding.openIngress({ listeners: descriptors, methods, limits, sharesLoop }, this.#records);
  }

  /**
   * Accepts no more clients, asks those there to open no more calls, answers every request that comes whole, and resolves when all
   * connections have ended, by the limits of `stopping.ts` at the latest where a client does not move. Every call returns the same promise.
   */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const drained = new Promise<void>((resolve) => (this.#drained = resolve));
    this.#binding.drainIngress();
    // A stream may last as long as its client wants.
    for (const stream of this.#streams.values()) stream.abort(new ServingError('SERVER_STOPPING'));
    await drained;
    // Methods of clients that have left may still run.
    if (this.#calls.size > 0) await new Promise<void>((resolve) => (this.#settled = resolve));
    this.#ring.onNotice(INGRESS_TOKEN, null);
    this.#binding.closeIngress();
    this.#regions.close();
    for (const release of this.#sending.values()) release();
    this.#sending.clear();
  }

  #takeEvents(): void {
    for (;;) {
      const count = this.#binding.takeIngressEvents();
      for (let index = 0; index < count; index += 1) this.#handle(index);
      if (count < EVENTS) return;
    }
  }

  #handle(index: number): void {
    const at = index * INGRESS_EVENT_STRIDE;
    const records = this.#records;
    const number = records[at + 1]!;
    const first = records[at + 2]!;
    switch (records[at]) {
      case INGRESS_EVENT.REQUEST:
        return this.#request(index, at);
      case INGRESS_EVENT.OPENED:
        return this.#open(number, this.#methods[first]!, this.#metadata(index, records[at + 6]!));
      case INGRESS_EVENT.MESSAGE:
        return this.#message(number, at);
      case INGRESS_EVENT.HALF_CLOSED:
        return this.#streams.get(number)?.halfClosed();
      case INGRESS_EVENT.CANCELLED:
        return this.#abort(number, new ServingError('REQUEST_CANCELLED'));
      case INGRESS_EVENT.REFUSED:
        return this.#refused(index, number, first, records[at + 3]!);
      case INGRESS_EVENT.SENT:
        return this.#sent(number);
      case INGRESS_EVENT.REGION_WANTED:
        return this.#regions.want(number, first);
      case INGRESS_EVENT.REGION_DROPPED:
        return this.#regions.dropped(first);
      case INGRESS_EVENT.REGION_RETURNED:
        return this.#regions.returned(first);
      case INGRESS_EVENT.DRAINED:
        return this.#drained?.();
      default:
        return this.#options.onNotice(`gRPC connection of ${this.#binding.ingressEventTexts(index).join(' ')}`);
    }
  }

  #request(index: number, at: number): void {
    const records = this.#records;
    const { run, api } = this.#methods[records[at + 2]!]!;
    const flags = records[at + 6]!;
    const call = new IngressCall(records[at + 1]!, api, this.#metadata(index, flags));
    call.region = records[at + 3]!;
    const lease = call.region === NO_REGION ? null : this.#regions.taken(call.region);
    const bytes = bytesOf(lease, records[at + 4]!, records[at + 5]!);
    if ((flags & INGRESS_FLAG.WITHDRAWN) !== 0) return void this.#withdrawn.set(call.number, call);
    if (isCompressed(flags)) return this.#runCompressed(call, run as RpcMethod, bytes, flags);
    call.message = lease;
    this.#run(call, run as RpcMethod, bytes);
  }

  #run(call: IngressCall, method: RpcMethod, bytes: Uint8Array): void {
    let answer: Promise<RpcAnswer> | RpcAnswer;
    try {
      answer = method(bytes, call);
    } catch (error) {
      return this.#fail(call, error);
    }
    if (!(answer instanceof Promise)) return this.#answer(call, answer);
    this.#calls.set(call.number, call);
    answer.then(
      (message) => this.#answer(call, message),
      (error: unknown) => this.#fail(call, error),
    );
  }

  #runCompressed(call: IngressCall, method: RpcMethod, bytes: Uint8Array, flags: number): void {
    this.#calls.set(call.number, call);
    inflateMessage(bytes, flags, this.#options.limits.messageBytes).then(
      (message) => this.#run(call, method, message),
      (error: unknown) => this.#fail(call, error),
    );
  }

  #open(number: number, { run, api }: Method, metadata: readonly string[]): void {
    const call = new IngressCall(number, api, metadata);
    const stream = new IngressStream(call, this.#streamEnds);
    this.#calls.set(number, call);
    this.#streams.set(number, stream);
    void stream.run(run as RpcStream);
    if (this.#drained !== null) stream.abort(new ServingError('SERVER_STOPPING'));
  }

  #message(number: number, at: number): void {
    const records = this.#records;
    const region = records[at + 3]!;
    const flags = records[at + 6]!;
    const lease = region === NO_REGION ? null : this.#regions.taken(region);
    // Streams carry small messages, and keep them for as long as they like.
    const message = Buffer.from(bytesOf(lease, records[at + 4]!, records[at + 5]!));
    if (region !== NO_REGION) this.#regions.restock(region);
    if (!isCompressed(flags)) return this.#streams.get(number)?.received(message);
    inflateMessage(message, flags, this.#options.limits.messageBytes).then(
      (decoded) => this.#streams.get(number)?.received(decoded),
      (error: unknown) => this.#streams.get(number)?.abort(error as ServingError),
    );
  }

  #abort(number: number, reason: ServingError): void {
    const withdrawn = this.#withdrawn.get(number);
    if (withdrawn !== undefined) {
      this.#withdrawn.delete(number);
      return this.#fail(withdrawn, reason);
    }
    const stream = this.#streams.get(number);
    if (stream !== undefined) stream.abort(reason);
    else this.#calls.get(number)?.abort(reason);
  }

  #refused(index: number, number: number, reason: number, size: number): void {
    const [, encoding = ''] = this.#binding.ingressEventTexts(index);
    const error = refusalError({ reason, size, encoding, limits: this.#options.limits });
    if (this.#calls.has(number) || this.#withdrawn.has(number)) return this.#abort(number, error);
    const { code, details } = error.grpcStatus();
    this.#binding.finishCall(number, code, details, NO_TEXTS, NO_REGION);
  }

  #sent(number: number): void {
    const done = this.#sending.get(number);
    this.#sending.delete(number);
    done?.();
  }

  #answer(call: IngressCall, answer: RpcAnswer): void {
    const isScattered = answer instanceof ScatteredMessage;
    const bytes = isScattered ? answer.written : answer;
    const rows = isScattered ? this.#table.write(answer) : 0;
    if (isScattered) this.#sending.set(call.number, answer.release);
    const hasTrailers = call.trailers.length > 0;
    const region = this.#settle(call);
    this.#binding.sendMessage(
      call.number,
      !hasTrailers,
      bytes,
      bytes.byteLength,
      this.#table.numbers,
      rows,
      hasTrailers ? NO_REGION : region,
    );
    if (hasTrailers) this.#binding.finishCall(call.number, OK, '', call.trailers, region);
  }

  #fail(call: IngressCall, error: unknown): void {
    const { code, details } = failureOf(error, this.#options.onBug);
    this.#binding.finishCall(call.number, code, details, call.trailers, this.#settle(call));
  }

  #sendOfStream({ number }: IngressCall, message: Uint8Array): Promise<void> {
    const sent = new Promise<void>((resolve) => this.#sending.set(number, resolve));
    this.#binding.sendMessage(number, false, message, message.byteLength, this.#table.numbers, 0, NO_REGION);
    return sent;
  }

  #finishStream(call: IngressCall, error: unknown): void {
    const { code, details } = error === null ? { code: OK, details: '' } : failureOf(error, this.#options.onBug);
    this.#streams.delete(call.number);
    this.#binding.finishCall(call.number, code, details, call.trailers, this.#settle(call));
  }

  /** The call is over for this side. @returns its region when it is free. */
  #settle(call: IngressCall): number {
    this.#calls.delete(call.number);
    if (this.#calls.size === 0) this.#settled?.();
    return this.#regions.settle(call.region);
  }

  #metadata(index: number, flags: number): readonly string[] {
    if ((flags & INGRESS_FLAG.TEXTS) === 0) return NO_TEXTS;
    // In front of the metadata stand the path and the encoding.
    return this.#binding.ingressEventTexts(index).slice(2);
  }
}

interface Method {
  readonly path: string;
  readonly run: RpcMethod | RpcStream;
  readonly api: ReturnType<typeof apiOfPath>;
}

/** A view of the message in its region. */
function bytesOf(lease: Lease | null, start: number, length: number): Uint8Array {
  return lease === null ? NO_BYTES : Buffer.from(lease.buffer, lease.byteOffset + start, length);
}
