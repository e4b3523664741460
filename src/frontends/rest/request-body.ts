import { promisify } from 'node:util';
import type { IncomingMessage } from 'node:http';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { ServingError } from '../../errors.js';
import { shortened } from '../../texts.js';

/** Bytes a body may have, before and after inflating (as OVMS 2026.2.1). */
export const BODY_LIMIT = 1024 ** 3;

/** Whether the header alone says that the body is too large, so that it need not be received. */
export function announcesTooMuch(request: IncomingMessage, limit: number): boolean {
  return Number(request.headers['content-length'] ?? 0) > limit;
}

/**
 * Receives a body whole and undoes its content coding: gzip and deflate, of which OVMS 2026.2.1 reads neither.
 * @throws ServingError REST_BODY_TOO_LARGE, REQUEST_CANCELLED when the client leaves half-way, JSON_INVALID for a body that does
 *   not inflate or whose coding is unknown (the status OVMS 2026.2.1 gives to every coding).
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  const received = await receive(request, limit);
  const coding = (request.headers['content-encoding'] ?? '').trim().toLowerCase();
  switch (coding) {
    case '':
    case 'identity':
      return received;
    case 'gzip':
    case 'x-gzip':
      return inflated(gunzipAsync, received, limit);
    case 'deflate':
      return inflated(hasZlibHeader(received) ? inflateAsync : inflateRawAsync, received, limit);
    default:
      throw new ServingError(
        'JSON_INVALID',
        `Error: Content-Encoding ${shortened(coding)} is not supported. Offset: 0`,
      );
  }
}

function receive(request: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // The rest still arrives and is dropped, until the answer closes the connection.
      chunks.length = 0;
      reject(new ServingError('REST_BODY_TOO_LARGE'));
    });
    request.on('end', () => {
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
    });
    request.on('error', (cause) => reject(new ServingError('REQUEST_CANCELLED', '', { cause })));
  });
}

interface InflateOptions {
  readonly maxOutputLength: number;
}

type Inflate = (body: Buffer, options: InflateOptions) => Promise<Buffer>;

const gunzipAsync: Inflate = promisify<Buffer, InflateOptions, Buffer>(gunzip);
const inflateAsync: Inflate = promisify<Buffer, InflateOptions, Buffer>(inflate);
const inflateRawAsync: Inflate = promisify<Buffer, InflateOptions, Buffer>(inflateRaw);

async function inflated(inflateBody: Inflate, body: Buffer, limit: number): Promise<Uint8Array> {
  try {
    return await inflateBody(body, { maxOutputLength: limit });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw new ServingError('REST_BODY_TOO_LARGE', '', { cause });
    throw new ServingError('JSON_INVALID', `Error: ${message}. Offset: 0`, { cause });
  }
}

/** The standard wraps deflate in zlib, but some clients send the bare stream. */
function hasZlibHeader(body: Buffer): boolean {
  const [first = 0, second = 0] = body;
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}
