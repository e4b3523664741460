import type { IncomingHttpHeaders } from 'node:http';
import { connect, constants } from 'node:http2';

export const GRPC_HEADERS: Readonly<Record<string, string>> = {
  [constants.HTTP2_HEADER_METHOD]: 'POST',
  [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
  [constants.HTTP2_HEADER_TE]: 'trailers',
};

/** A message behind its five bytes of gRPC framing, cut after `length` bytes. */
export function grpcFrame(message: Uint8Array, length = message.byteLength + 5): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]).subarray(0, length);
}

/**
 * A call without a gRPC library, which would do on the client's side what is the server's to do.
 * @returns `grpc-status`; empty when the stream was reset.
 */
export async function http2Call(
  port: number,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  return (await http2Outcome(port, path, body, headers)).status;
}

/** As {@link http2Call}, with `grpc-message` as the wire has it, and the headers that came with the status. */
export function http2Outcome(
  port: number,
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: string; readonly message: string; readonly trailers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    const stream = session.request({ ...GRPC_HEADERS, ...headers, [constants.HTTP2_HEADER_PATH]: path });
    let status = '';
    let message = '';
    let trailers: IncomingHttpHeaders = {};
    const read = (received: IncomingHttpHeaders): void => {
      const found = received['grpc-status'];
      if (typeof found !== 'string') return;
      status = found;
      message = String(received['grpc-message'] ?? '');
      trailers = received;
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', () => undefined);
    stream.on('data', () => undefined);
    stream.once('close', () => {
      session.close();
      resolve({ status, message, trailers });
    });
    stream.end(body);
  });
}
