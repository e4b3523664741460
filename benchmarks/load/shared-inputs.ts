import { copyFile, readFile, rm } from 'node:fs/promises';
import { Client, credentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { METHOD } from '#src/frontends/kserve/method.js';
import { ROOT } from '../support/paths.js';
import { inputBytes, writeMessages, type PredictTarget } from './request-file.js';

/** Where Linux has POSIX shared memory as files. */
const FOLDER = '/dev/shm';
const REGION = 'inputs';

const root = new protobuf.Root();
root.loadSync(`${ROOT}src/frontends/kserve/proto/grpc_predict_v2.proto`, { keepCase: true }).resolveAll();

/** Inputs in POSIX shared memory that a server has mapped, and requests of KServe that say where in it theirs is. */
export class SharedInputs {
  static readonly method = METHOD.MODEL_INFER;
  /** Ready-made messages. */
  readonly requests: string;
  readonly #path: string;

  private constructor(requests: string, path: string) {
    this.requests = requests;
    this.#path = path;
  }

  /** @param inputsFile raw f32 inputs, one after the other @throws Error when the server does not take the region */
  static async register(
    port: number,
    target: PredictTarget,
    inputsFile: string,
    requests: string,
  ): Promise<SharedInputs> {
    const key = `/vinery-bench-${process.pid}`;
    const shared = new SharedInputs(requests, `${FOLDER}${key}`);
    await copyFile(inputsFile, shared.#path);
    try {
      const size = inputBytes(target);
      const { byteLength } = await readFile(inputsFile);
      await call(
        port,
        METHOD.SYSTEM_SHARED_MEMORY_REGISTER,
        encode('SystemSharedMemoryRegisterRequest', { name: REGION, key, byte_size: byteLength }),
      );
      const messages = Array.from({ length: byteLength / size }, (_, index) =>
        inferRequest(target, index * size, size),
      );
      await writeMessages(requests, messages);
      return shared;
    } catch (error) {
      await shared.remove();
      throw error;
    }
  }

  /** The first element of the only output, an I64. @param answer in hexadecimal digits @throws Error when there is none */
  static answeredNumber(answer: string): number {
    const type = root.lookupType('inference.ModelInferResponse');
    const { raw_output_contents: [content] = [] } = type.toObject(type.decode(Buffer.from(answer, 'hex'))) as {
      raw_output_contents?: Uint8Array[];
    };
    if (content === undefined) throw new Error('expected raw content in the answer, found none');
    return Number(Buffer.from(content).readBigInt64LE());
  }

  /** Takes the name of the memory away; the server has it until it ends. */
  remove(): Promise<void> {
    return rm(this.#path, { force: true });
  }
}

function inferRequest({ servable, input, shape }: PredictTarget, offset: number, size: number): Uint8Array {
  const place = {
    shared_memory_region: { string_param: REGION },
    shared_memory_offset: { int64_param: offset },
    shared_memory_byte_size: { int64_param: size },
  };
  return encode('ModelInferRequest', {
    model_name: servable,
    inputs: [{ name: input, datatype: 'FP32', shape, parameters: place }],
  });
}

function encode(message: string, fields: Readonly<Record<string, unknown>>): Uint8Array {
  return root.lookupType(`inference.${message}`).encode(fields).finish();
}

async function call(port: number, method: string, request: Uint8Array): Promise<void> {
  const asIs = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  try {
    await new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(method, asIs, asIs, request, (error) => (error === null ? resolve() : reject(error)));
    });
  } finally {
    client.close();
  }
}
