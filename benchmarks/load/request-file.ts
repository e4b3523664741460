import { readFile, writeFile } from 'node:fs/promises';
import { outputArray } from '#src/client/prediction.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';

/** Whom to ask for what. */
export interface PredictTarget {
  readonly servable: string;
  readonly input: string;
  readonly output: string;
  /** Of one input, f32. */
  readonly shape: readonly number[];
}

/** Bytes of one input. */
export function inputBytes({ shape }: PredictTarget): number {
  return shape.reduce((product, dimension) => product * dimension, Float32Array.BYTES_PER_ELEMENT);
}

/** Writes messages as load clients read them: each behind its length as a little-endian u32. */
export async function writeMessages(file: string, messages: readonly Uint8Array[]): Promise<void> {
  const parts = messages.flatMap((message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.byteLength);
    return [length, message];
  });
  await writeFile(file, Buffer.concat(parts));
}

/**
 * Makes the messages that load clients send.
 * @param inputsFile raw f32 inputs, one after the other
 */
export async function writeRequests(file: string, target: PredictTarget, inputsFile: string): Promise<void> {
  const inputs = await readFile(inputsFile);
  const size = inputBytes(target);
  if (inputs.byteLength === 0 || inputs.byteLength % size !== 0) {
    throw new Error(`expected inputs of ${size} bytes in ${inputsFile}, found ${inputs.byteLength} bytes`);
  }
  const messages: Uint8Array[] = [];
  for (let at = 0; at < inputs.byteLength; at += size) {
    const bytes = inputs.subarray(at, at + size);
    const tensor = { name: target.input, precision: 'FP32', shape: target.shape, bytes } as const;
    messages.push(encodePredictRequest(target.servable, null, [tensor]));
  }
  await writeMessages(file, messages);
}

/** The first element of the output. @param answer in hexadecimal digits @throws Error when there is none */
export function answeredNumber({ output }: PredictTarget, answer: string): number {
  const tensor = decodePredictResponse(Buffer.from(answer, 'hex')).get(output);
  if (tensor === undefined) throw new Error(`expected an output ${output} in the answer, found none`);
  const number = outputArray(output, tensor).elements[0];
  if (number === undefined) throw new Error(`expected a number in the output ${output}, found none`);
  return number;
}
