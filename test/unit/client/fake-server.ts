import { Metadata, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';

/** What a method of the fake server answers: bytes with a trailer, or an error of a code. */
export type FakeAnswer =
  | { readonly bytes: Uint8Array; readonly trailer?: Readonly<Record<string, string>> }
  | { readonly code: number; readonly details: string };

export type FakeMethod = (request: Buffer, metadata: Metadata) => FakeAnswer;

/** Runs `use` with the port of a gRPC server on the loopback address that answers these methods. */
export async function withServer(
  methods: Readonly<Record<string, FakeMethod>>,
  use: (port: string) => Promise<void>,
): Promise<void> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const identity = (bytes: Buffer): Buffer => bytes;
  for (const [path, method] of Object.entries(methods)) {
    server.register(path, answering(method), identity, identity, 'unary');
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  try {
    await use(String(port));
  } finally {
    server.forceShutdown();
  }
}

function answering(method: FakeMethod) {
  return (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    const answer = method(call.request, call.metadata);
    if ('code' in answer) {
      respond(answer, null);
      return;
    }
    const trailer = new Metadata();
    for (const [name, value] of Object.entries(answer.trailer ?? {})) trailer.set(name, value);
    respond(null, Buffer.from(answer.bytes), trailer);
  };
}
