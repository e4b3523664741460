import { readFileSync } from 'node:fs';
import { outputArray } from '#src/client/prediction.js';
import { decodePredictResponse, encodePredictRequest } from '#src/frontends/tfs/predict-message.js';

/** Whom to ask for what. */
export interface PredictTarget {
  readonly servable: string;
  readonly input: string;
  readonly output: string;
  /** Of one picture, f32. */
  readonly shape: readonly number[];
}

/** Requests as bytes, made once, and the number that each was answered with. */
export class RequestSet {
  readonly #output: string;
  readonly #requests: readonly Buffer[];
  readonly #answers: (number | null)[];

  /** @param picturesFile raw f32 pictures, one after the other */
  constructor(target: PredictTarget, picturesFile: string) {
    const pictures = readFileSync(picturesFile);
    const bytes = target.shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
    if (pictures.byteLength === 0 || pictures.byteLength % bytes !== 0) {
      throw new Error(`expected pictures of ${bytes} bytes in ${picturesFile}, found ${pictures.byteLength} bytes`);
    }
    this.#output = target.output;
    this.#requests = Array.from({ length: pictures.byteLength / bytes }, (_, picture) =>
      encodePredictRequest(target.servable, null, [
        {
          name: target.input,
          precision: 'FP32',
          shape: target.shape,
          bytes: pictures.subarray(picture * bytes, (picture + 1) * bytes),
        },
      ]),
    );
    this.#answers = this.#requests.map(() => null);
  }

  get count(): number {
    return this.#requests.length;
  }

  request(picture: number): Buffer {
    return this.#requests[picture]!;
  }

  /** First element of the output, by picture; `null` for a picture that was not asked. */
  get answers(): readonly (number | null)[] {
    return this.#answers;
  }

  /** @throws Error when the answer has no such output, or differs from the one the picture got before */
  check(picture: number, response: Buffer): void {
    const tensor = decodePredictResponse(response).get(this.#output);
    if (tensor === undefined) throw new Error(`expected an output ${this.#output} in the answer, found none`);
    const answer = outputArray(this.#output, tensor).elements[0];
    if (answer === undefined) throw new Error(`expected a number in the output ${this.#output}, found none`);
    const known = this.#answers[picture] ?? null;
    if (known !== null && known !== answer) {
      throw new Error(`picture ${picture} was answered with ${known} before and with ${answer} now`);
    }
    this.#answers[picture] = answer;
  }
}
