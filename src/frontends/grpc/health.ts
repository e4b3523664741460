import protobuf from 'protobufjs/minimal.js';
import { ServingError } from '../../errors.js';
import { decodeMessage, skip, tagOf, WIRE } from '../protobuf/wire-reader.js';
import { rejecting, type RpcCall, type RpcMethod, type RpcService, type RpcStream } from '../rpc.js';
import type { ServerState } from '../server-state.js';
import { aborted } from './stream-call.js';
import { shortened } from '../../texts.js';

export const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
export const HEALTH_WATCH = '/grpc.health.v1.Health/Watch';

const SERVICE = tagOf(1, WIRE.BYTES);
const STATUS = tagOf(1, WIRE.VARINT);
const SERVING_STATUS = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
type ServingStatus = keyof typeof SERVING_STATUS;

/**
 * `grpc.health.v1.Health`: the server, asked for by the empty name, and each of its services serve once the server is ready.
 * OVMS 2026.2.1 has no such service.
 * @param services full names.
 */
export function healthService(services: ReadonlySet<string>, server: ServerState): RpcService {
  return new Map<string, RpcMethod | RpcStream>([
    [HEALTH_CHECK, rejecting((request) => check(decodeService(request), services, server))],
    [HEALTH_WATCH, { stream: (requests, call) => watch(requests, call, services, server) }],
  ]);
}

function check(service: string, services: ReadonlySet<string>, server: ServerState): Uint8Array {
  const status = statusOf(service, services, server);
  if (status === 'SERVICE_UNKNOWN') throw new ServingError('SERVICE_UNKNOWN', `service: ${shortened(service)}`);
  return encodeStatus(status);
}

/** Tells the status now and at its change, and stays open until the client leaves. */
async function* watch(
  requests: AsyncIterable<Uint8Array>,
  { signal }: RpcCall,
  services: ReadonlySet<string>,
  server: ServerState,
): AsyncGenerator<Uint8Array> {
  for await (const request of requests) {
    const service = decodeService(request);
    const status = statusOf(service, services, server);
    yield encodeStatus(status);
    if (status === 'NOT_SERVING') {
      await Promise.race([server.ready(), aborted(signal)]);
      yield encodeStatus('SERVING');
    }
    await aborted(signal);
    return;
  }
}

function statusOf(service: string, services: ReadonlySet<string>, server: ServerState): ServingStatus {
  if (service !== '' && !services.has(service)) return 'SERVICE_UNKNOWN';
  return server.isReady() ? 'SERVING' : 'NOT_SERVING';
}

function decodeService(bytes: Uint8Array): string {
  return decodeMessage('HealthCheckRequest', bytes, (reader) => {
    let service = '';
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === SERVICE) service = reader.stringVerify();
      else skip(reader, tag);
    }
    return service;
  });
}

function encodeStatus(status: ServingStatus): Uint8Array {
  return protobuf.Writer.create().uint32(STATUS).int32(SERVING_STATUS[status]).finish();
}
