import { readFile } from 'node:fs/promises';
import { Client, credentials, Metadata, status, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { ClientError, unreadableFile } from './client-error.js';

/** Where a server is and how to speak with it: the options that every command has. */
export interface ConnectionOptions {
  readonly grpc_address: string;
  readonly grpc_port: string;
  readonly tls: boolean;
  readonly server_cert?: string;
  readonly client_cert?: string;
  readonly client_key?: string;
}

export interface Answer {
  readonly bytes: Uint8Array;
  readonly trailer: Metadata;
}

/** As OVMS's sample clients. */
const CALL_TIMEOUT_MS = 10_000;
const MESSAGE_LIMIT_BYTES = 1024 ** 3;

/** Unary calls on bytes over one gRPC channel. */
export class Connection {
  readonly #client: Client;

  private constructor(address: string, channelCredentials: ChannelCredentials) {
    this.#client = new Client(address, channelCredentials, {
      'grpc.max_receive_message_length': MESSAGE_LIMIT_BYTES,
      'grpc.max_send_message_length': MESSAGE_LIMIT_BYTES,
    });
  }

  /** Opens no socket yet; the first call does. @throws ClientError for certificate files that cannot be read. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    return new Connection(`${options.grpc_address}:${options.grpc_port}`, await channelCredentials(options));
  }

  /**
   * Calls a method and waits at most 10 seconds for the answer.
   * @throws ClientError `<CODE NAME>: <details>` when the server, or the way to it, answers with an error.
   */
  call(path: string, request: Uint8Array, metadata: Metadata = new Metadata()): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let bytes: Uint8Array = new Uint8Array(0);
      const deadline = Date.now() + CALL_TIMEOUT_MS;
      const call = this.#client.makeUnaryRequest(
        path,
        toBuffer,
        toBytes,
        request,
        metadata,
        { deadline },
        (error, value) => {
          if (error !== null) reject(callError(error));
          else if (value !== undefined) bytes = value;
        },
      );
      // The status comes last: only then the trailer is there.
      call.on('status', ({ metadata: trailer }) => resolve({ bytes, trailer }));
    });
  }

  close(): void {
    this.#client.close();
  }
}

const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const toBytes = (bytes: Buffer): Uint8Array => bytes;

function callError(error: ServiceError): ClientError {
  // One line, whatever the server or the TLS library wrote.
  const details = error.details.trim().replaceAll(/\s*\n\s*/g, ' ');
  return new ClientError(`${status[error.code]}: ${details}`, { cause: error });
}

async function channelCredentials(options: ConnectionOptions): Promise<ChannelCredentials> {
  if (!options.tls) return credentials.createInsecure();
  const [serverCert, clientKey, clientCert] = await Promise.all(
    [options.server_cert, options.client_key, options.client_cert].map(readOptional),
  );
  try {
    return credentials.createSsl(serverCert, clientKey, clientCert);
  } catch (fault) {
    throw new ClientError(`The certificates cannot be used: ${String(fault)}`, { cause: fault });
  }
}

async function readOptional(path: string | undefined): Promise<Buffer | null> {
  if (path === undefined) return null;
  try {
    return await readFile(path);
  } catch (fault) {
    throw unreadableFile(path, fault);
  }
}
