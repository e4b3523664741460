import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { CorsSettings } from '../../config/settings.js';
import { ServingError } from '../../errors.js';
import type { RestAnswer } from './endpoint.js';
import { encodeError } from './status-json.js';

const JSON_TYPE = 'application/json';
const NO_CONTENT = 204;

/** Headers of cross-origin requests, sent with every answer; an empty text sends none (as OVMS 2026.2.1). */
export function corsHeaders(cors: CorsSettings): Readonly<Record<string, string>> {
  const headers: [string, string][] = [
    ['Access-Control-Allow-Origin', cors.allowedOrigins],
    ['Access-Control-Allow-Methods', cors.allowedMethods],
    ['Access-Control-Allow-Headers', cors.allowedHeaders],
    ['Access-Control-Allow-Credentials', cors.allowCredentials ? 'true' : ''],
  ];
  return Object.fromEntries(headers.filter(([, value]) => value !== ''));
}

/** The answer of an error: its text as JSON, no body where the status or a refused body wants none. */
export function errorAnswer(error: ServingError): RestAnswer {
  const status = error.httpStatus();
  const isBare = status === NO_CONTENT || error.code === 'REST_BODY_TOO_LARGE';
  return { status, body: isBare ? '' : encodeError(error.clientText) };
}

/** @param closes whether the connection ends with this answer. */
export function sendAnswer(
  response: ServerResponse,
  answer: RestAnswer,
  cors: Readonly<Record<string, string>>,
  closes: boolean,
): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body;
  const headers: OutgoingHttpHeaders = { 'Content-Type': answer.contentType ?? JSON_TYPE, ...cors, ...answer.headers };
  if (answer.status !== NO_CONTENT) headers['Content-Length'] = body.byteLength;
  if (closes) headers['Connection'] = 'close';
  response.sendDate = false;
  response.writeHead(answer.status, headers);
  response.end(body);
}

/** An answer for bytes that made no request: written by hand, the caller ends the connection. */
export function sendRawAnswer(socket: Socket, answer: RestAnswer, cors: Readonly<Record<string, string>>): void {
  const body = Buffer.from(answer.body);
  const headers = { 'Content-Type': JSON_TYPE, ...cors, 'Content-Length': body.byteLength, Connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('')}\r\n`;
  socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
}
