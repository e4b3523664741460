import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { Fields } from './kserve-messages.js';

const PROTOS = fileURLToPath(new URL('../../../src/frontends/tfs/proto/', import.meta.url));

/** The messages as a client made from our `.proto` files has them: nothing of the code under test. */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => (target.startsWith('google/') ? target : PROTOS + target);
root
  .loadSync(['tensorflow_serving/apis/prediction_service.proto', 'tensorflow_serving/apis/model_service.proto'], {
    keepCase: true,
  })
  .resolveAll();

/** Encodes a message of the packages `tensorflow` or `tensorflow.serving`, named with its package. */
export function encodeTfs(message: string, fields: Fields): Uint8Array {
  const type = root.lookupType(message);
  return type.encode(type.fromObject(fields)).finish();
}

/** Decodes one; bytes are buffers, 64-bit integers numbers, enums names, and what was not sent is the default. */
export function decodeTfs(message: string, bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType(message);
  return type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true, arrays: true });
}
