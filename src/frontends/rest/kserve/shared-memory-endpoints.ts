import { ServingError } from '../../../errors.js';
import type { SharedMemory } from '../../../tensors/shared-memory.js';
import { isSize } from '../../kserve/shared-parameters.js';
import { offered, statusOf } from '../../kserve/shared-memory-status.js';
import type { Endpoint, RestAnswer, RestRequest } from '../endpoint.js';
import { isJsonObject, parseSmallBody } from '../json-body.js';
import { shortened, shown } from '../../../texts.js';

const DONE: RestAnswer = { status: 200, body: '' };

/**
 * The requests by which clients share memory, as Triton has them.
 * @param memory `null`: the server does not offer it.
 */
export function sharedMemoryEndpoints(memory: SharedMemory | null): readonly Endpoint[] {
  const endpoint = (method: 'GET' | 'POST', kind: string, path: string, handle: Endpoint['handle']): Endpoint => ({
    api: 'KServe',
    method,
    path: new RegExp(String.raw`^.?/v2/${kind}sharedmemory(?:/region/(?<name>[^/]+))?/${path}$`),
    handle,
  });
  return [
    endpoint('GET', 'system', 'status', ({ parameters }) => status(memory, parameters['name'] ?? '')),
    endpoint('POST', 'system', 'register', (request) => register(offered(memory), request)),
    endpoint('POST', 'system', 'unregister', ({ parameters }) => unregister(memory, parameters['name'])),
    endpoint('GET', 'cuda', 'status', () => ({ status: 200, body: '[]' })),
    endpoint('POST', 'cuda', 'unregister', () => DONE),
    endpoint('POST', 'cuda', 'register', () => {
      throw new ServingError('CUDA_SHARED_MEMORY');
    }),
  ];
}

function status(memory: SharedMemory | null, name: string): RestAnswer {
  const regions = statusOf(memory, name).map(({ name, key, offset, byteSize }) => ({
    name,
    key,
    offset,
    byte_size: byteSize,
  }));
  return { status: 200, body: JSON.stringify(regions) };
}

/** Without a name all regions are meant. A name that is not registered is no error (as Triton). */
function unregister(memory: SharedMemory | null, name: string | undefined): RestAnswer {
  if (name === undefined) memory?.unregisterAll();
  else memory?.unregister(name);
  return DONE;
}

function register(memory: SharedMemory, { parameters, body }: RestRequest): RestAnswer {
  const name = parameters['name'] ?? '';
  const document = parseSmallBody(body);
  if (!isJsonObject(document)) throw new ServingError('REST_BODY_IS_NOT_AN_OBJECT');
  const { key, offset = 0, byte_size: byteSize } = document;
  if (typeof key !== 'string') throw wrong(name, 'key', 'a text', key);
  if (!isSize(offset)) throw wrong(name, 'offset', 'a number of bytes', offset);
  if (!isSize(byteSize)) throw wrong(name, 'byte_size', 'a number of bytes', byteSize);
  memory.register({ name, key, offset, byteSize });
  return DONE;
}

function wrong(region: string, field: string, expected: string, received: unknown): ServingError {
  const what = received === undefined ? 'none' : shown(received);
  return new ServingError(
    'SHARED_MEMORY_INVALID',
    `failed to register shared memory region '${shortened(region)}': invalid args: expected ${expected} as ${field}, received ${what}`,
  );
}
