import assert from 'node:assert/strict';
import { connect, type ClientHttp2Session } from 'node:http2';
import type { RpcMethod } from '#src/frontends/rpc.js';
import type { GrpcClient } from '../helpers/grpc-client.js';
import { withIngress, type IngressOptions, type ServedIngress } from '../helpers/ingress.js';

/** A method that answers with its request. */
export const ECHO = '/test.Service/Echo';

const echo: RpcMethod = (request) => Buffer.from(request);

export function withEcho(use: (served: ServedIngress) => Promise<void>, options: IngressOptions = {}): Promise<void> {
  return withIngress(new Map([[ECHO, echo]]), use, options);
}

/** Bytes that are no two alike for long. */
export function bytesOf(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index * 31 + (index >> 8)));
}

export async function assertEchoes(client: GrpcClient, message: Uint8Array = bytesOf(100)): Promise<void> {
  const { code, details, bytes } = await client.call(ECHO, message);
  assert.equal(code, 'OK', details);
  assert.ok(Buffer.from(bytes).equals(message), `${message.byteLength} bytes differ`);
}

/** An HTTP/2 client that is no gRPC client; it is gone afterwards, whatever it had open. */
export async function withSession<T>(port: number, use: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
  // By itself it refuses to hold more than 10 MB that wait to be sent.
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 });
  session.on('error', () => undefined);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}
