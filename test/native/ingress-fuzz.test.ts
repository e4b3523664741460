import { describe, test } from 'node:test';
import { withGrpcClient } from '../helpers/grpc-client.js';
import { grpcFrame } from '../helpers/http2-call.js';
import { callHeaders, END_STREAM, FRAME, frame, PREFACE } from '../helpers/http2-frames.js';
import { connectRaw } from '../helpers/raw-socket.js';
import { assertEchoes, bytesOf, ECHO, withEcho } from './ingress-echo.js';

/** Numbers that look like nothing, the same in every run. */
class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => this.below(256)));
  }
}

/** Frames as a client sends them, some with a type, flags, a stream or a payload of no sense. */
function conversation(noise: Noise): Buffer[] {
  const frames = [PREFACE, frame(FRAME.SETTINGS, 0, 0)];
  for (let call = 0; call < 4; call += 1) {
    const stream = call * 2 + 1;
    const message = grpcFrame(bytesOf(noise.below(3000)));
    const cut = noise.below(message.byteLength);
    frames.push(
      callHeaders(stream, ECHO),
      frame(FRAME.DATA, 0, stream, message.subarray(0, cut)),
      frame(noise.below(12), noise.below(256), noise.below(12), noise.bytes(noise.below(40))),
      frame(FRAME.DATA, END_STREAM, stream, message.subarray(cut)),
    );
  }
  return frames;
}

function flipBits(noise: Noise, bytes: Buffer): Buffer {
  for (let count = noise.below(12); count > 0; count -= 1) {
    const place = PREFACE.byteLength + noise.below(bytes.byteLength - PREFACE.byteLength);
    bytes[place] = bytes[place]! ^ (1 << noise.below(8));
  }
  return bytes;
}

const kinds: readonly (readonly [string, (noise: Noise) => Buffer])[] = [
  ['noise', (noise) => noise.bytes(noise.below(4096))],
  [
    'noise behind a good beginning',
    (noise) => Buffer.concat([PREFACE, frame(4, 0, 0), noise.bytes(noise.below(4096))]),
  ],
  ['frames of no sense', (noise) => Buffer.concat(conversation(noise))],
  ['calls with some bits turned', (noise) => flipBits(noise, Buffer.concat(conversation(noise)))],
  [
    'calls that are cut off',
    (noise) => {
      const whole = Buffer.concat(conversation(noise));
      return whole.subarray(0, noise.below(whole.byteLength));
    },
  ],
];

describe('bytes of every kind', () => {
  for (const [title, make] of kinds) {
    test(`${title}: other clients are served`, async () => {
      await withEcho(async ({ port }) => {
        await withGrpcClient(port, async (client) => {
          for (let round = 0; round < 15; round += 1) {
            const ends = Array.from({ length: 16 }, async (_, index) => {
              const { socket, ended } = await connectRaw(port);
              // Cut in two, so that what belongs together does not always come together.
              const bytes = make(new Noise(round * 16 + index));
              const middle = bytes.byteLength >> 1;
              socket.write(bytes.subarray(0, middle));
              await new Promise(setImmediate);
              socket.end(bytes.subarray(middle));
              await ended;
            });
            await assertEchoes(client, bytesOf(1000 + round));
            await Promise.all(ends);
          }
        });
      });
    });
  }
});
