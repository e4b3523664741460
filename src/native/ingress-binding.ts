/**
 * The part of the addon's surface that serves gRPC: HTTP/2 on an I/O thread, which is one of its own or the environment's. It knows
 * calls and messages on bytes; what a method does, which errors there are and how memory is had is decided in JavaScript.
 */
export interface IngressBinding {
  /** Why this process cannot serve HTTP/2 natively; empty when it can. */
  ingressFault(): string;

  /**
   * Starts the ingress of this environment; the completion ring must be open, and there is one at a time. The listening
   * descriptors belong to the ingress from here on. Events are told of through the completion ring under {@link INGRESS_TOKEN} and
   * written into `records` by {@link takeIngressEvents}.
   */
  openIngress(settings: IngressSettings, records: Float64Array): void;

  /**
   * Accepts nothing more and asks every client to open no more calls; those that are open go on. `DRAINED` is told when all clients have
   * read their answers and closed, or have come up against the limits of {@link IngressLimits}.
   */
  drainIngress(): void;

  /** Ends it at once and with it every connection that is left. Afterwards no region is read or written any more. */
  closeIngress(): void;

  /**
   * Writes events into the records, {@link INGRESS_EVENT_STRIDE} numbers each: kind, call, and those of {@link INGRESS_EVENT}.
   * @returns how many; fewer than there is space for means that no more are there.
   */
  takeIngressEvents(): number;

  /** Texts of an event of the last {@link takeIngressEvents}: path, encoding, then names and values of metadata in turn. */
  ingressEventTexts(index: number): string[];

  /**
   * A region of leased memory for a message, 64-byte aligned. It must stay leased until it comes back with a message, a `REGION_RETURNED`
   * or {@link closeIngress}.
   *
   * @param call that asked for it (`REGION_WANTED`), 0 for the stock from which most messages take theirs.
   * @param region the caller's name for it, a small integer.
   */
  giveIngressRegion(call: number, region: number, slabId: number, byteOffset: number, byteLength: number): void;

  /**
   * Sends a message: `bytes`, of which the first `byteLength` count and are copied now, with regions put between them.
   *
   * @param last the call ends with it, and well.
   * @param regions rows of {@link ANSWER_REGION_STRIDE} numbers: how many of the bytes stand before it since the last region, slab, offset,
   *   length. Regions are read until `SENT`, which is told when there are any or when this is not the last message.
   * @param region one that its message is no longer read from, for the stock; -1 for none.
   */
  sendMessage(
    call: number,
    last: boolean,
    bytes: Uint8Array,
    byteLength: number,
    regions: Float64Array,
    regionCount: number,
    region: number,
  ): void;

  /**
   * Ends a call with a status. Every call that was told of is ended exactly once, by this or by {@link sendMessage}, also when its
   * client has left.
   *
   * @param metadata names and values of trailing metadata in turn.
   * @param region as for {@link sendMessage}.
   */
  finishCall(call: number, code: number, text: string, metadata: readonly string[], region: number): void;

  /** The next message of a call with streams may be told of. */
  continueCall(call: number): void;
}

/** The token under which the completion ring tells of events. */
export const INGRESS_TOKEN = -1;
export const INGRESS_EVENT_STRIDE = 7;
export const ANSWER_REGION_STRIDE = 4;

/** Kinds of events with their numbers, in the order of `native/ingress/ingress_event.h`. */
export const INGRESS_EVENT = {
  /** A whole unary request: method, region (-1: the message is empty), start of the message in it, length, {@link INGRESS_FLAG}. */
  REQUEST: 0,
  /** A call with streams: method, 0, 0, 0, flags. */
  OPENED: 1,
  /** A message of a call with streams, as `REQUEST`; the next one after `continueCall`. */
  MESSAGE: 2,
  /** The client of a call with streams sends nothing more. */
  HALF_CLOSED: 3,
  /** The client has left, or its connection has. */
  CANCELLED: 4,
  /** {@link INGRESS_REFUSAL}, a number, 0, 0, flags: of a call not told of before with its texts, or of one that was. */
  REFUSED: 5,
  /** A message with regions, or one of a stream, was sent or dropped. */
  SENT: 6,
  /** Bytes: a message of the call waits for a region. */
  REGION_WANTED: 7,
  /** Region: no message came of it, it is in the stock. */
  REGION_DROPPED: 8,
  /** Region: the stock is full of others. */
  REGION_RETURNED: 9,
  /** After `drainIngress`: no connection is left. */
  DRAINED: 10,
  /** Texts: who, and what of it. */
  NOTICE: 11,
} as const;

export const INGRESS_FLAG = {
  GZIP: 1,
  DEFLATE: 2,
  TEXTS: 4,
  /** Of a `REQUEST`: its `CANCELLED` or `REFUSED` follows, so its method need not begin. */
  WITHDRAWN: 8,
} as const;

/** Why a request comes to no method, in the order of `native/ingress/message_reader.h`. */
export const INGRESS_REFUSAL = {
  DEADLINE: 0,
  /** The number is its length. */
  MESSAGE_TOO_LARGE: 1,
  BROKEN_MESSAGE: 2,
  NO_MESSAGE: 3,
  TOO_MANY_MESSAGES: 4,
  UNKNOWN_METHOD: 5,
  UNKNOWN_ENCODING: 6,
  /** The number is their length. */
  HEADERS_TOO_LARGE: 7,
  INVALID_TIMEOUT: 8,
  /** It held memory that others waited for, and did not come on; the number is how much of it has come. */
  STALLED: 9,
} as const;
export type IngressRefusal = (typeof INGRESS_REFUSAL)[keyof typeof INGRESS_REFUSAL];

export interface IngressSettings {
  /** The event loop of this environment drives the sockets; otherwise a thread is started for them. */
  readonly sharesLoop: boolean;
  readonly listeners: readonly number[];
  readonly methods: readonly IngressMethodSettings[];
  readonly limits: IngressLimits;
}

export interface IngressMethodSettings {
  /** For example `/tensorflow.serving.PredictionService/Predict`. Events name methods by their index. */
  readonly path: string;
  readonly streaming: boolean;
  /** Field numbers from a request down to the bytes of a tensor, which are then placed at a multiple of 64 bytes; empty for none. */
  readonly content: readonly number[];
}

/** Bytes, unless they say something else. */
export interface IngressLimits {
  /** Of a connection, announced to the client; what it opens beyond is refused so that it may try again. */
  readonly maxConcurrentStreams: number;
  /** What a client may send on a stream and on a connection before it was taken. */
  readonly streamWindow: number;
  readonly connectionWindow: number;
  readonly maxFrameSize: number;
  readonly headerBytes: number;
  readonly messageBytes: number;
  /** Of answers that one client has not read: its further requests wait. */
  readonly unsentBytes: number;
  /** Number of calls of one connection that are told of at a time: further ones wait. */
  readonly handedCalls: number;
  /** Of all messages that wait for a region: clients that send more are not read. */
  readonly keptBytes: number;
  /** Of regions in the stock. */
  readonly stockBytes: number;
  /** A client that has said nothing for so long since it connected is let go. */
  readonly handshakeTimeoutMs: number;
  /** One that is silent for so long is pinged, and let go when it stays silent for so long. */
  readonly keepaliveTimeMs: number;
  readonly keepaliveTimeoutMs: number;
  /** One without a call for so long is asked to leave; 0: never. */
  readonly maxIdleMs: number;
  /** One that has been there for so long, a tenth more or less, is asked to leave; 0: never. */
  readonly maxAgeMs: number;
  /** How long the calls of one that was asked for its age may go on; 0: as long as they like. */
  readonly maxAgeGraceMs: number;
  /** A client that was asked to open no more calls has so long for those on their way, when it does not say that it has heard. */
  readonly farewellMs: number;
  /** While the ingress stops: a client without an answer to come, or with an unfinished request, may be silent for so long. */
  readonly quietMs: number;
  /** While it stops: a client may read nothing of its answers for so long. */
  readonly stalledMs: number;
  /** While it stops: a request may take so long to be received. */
  readonly unfinishedMs: number;
  /** A message that holds memory others wait for is refused when it does not come on for so long. */
  readonly stallPatienceMs: number;
}
