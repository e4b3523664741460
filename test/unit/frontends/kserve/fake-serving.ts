import { ServingError } from '#src/errors.js';
import type { KserveExtensions } from '#src/frontends/kserve/extensions.js';
import type { RpcCall } from '#src/frontends/rpc.js';
import type { PredictRequest, ResponseTensor } from '#src/servables/predict-request.js';
import type { PredictResult, Serving } from '#src/servables/serving.js';
import { tensorInfo } from '../rest/fake-backend.js';

/** Knows one servable, `m`, with an input `b`; answers what the test says and counts releases. */
export class FakeServing implements Serving {
  readonly requests: PredictRequest[] = [];
  outputs: readonly ResponseTensor[] = [];
  /** Thrown by predict instead of an answer. */
  fault: ServingError | null = null;
  isReady = true;
  releases = 0;
  encodings = 0;
  refusals = 0;

  predict(request: PredictRequest): Promise<PredictResult> {
    this.requests.push(request);
    if (this.fault !== null) return Promise.reject(this.fault);
    const { outputs } = this;
    const release = (): void => void (this.releases += 1);
    const encoded = (): void => void (this.encodings += 1);
    return Promise.resolve({ outputs, declaredOutputs: outputs.length, version: 3, timeline: null, encoded, release });
  }

  metadata(name: string, version: bigint | null): ReturnType<Serving['metadata']> {
    requireM(name);
    const outputs = [
      {
        ...tensorInfo('a', 'I64'),
        shape: [
          { min: 1, max: 1 },
          { min: 2, max: 5 },
        ],
      },
    ];
    return {
      name,
      version: Number(version ?? 3n),
      versions: [1, 3],
      inputs: [tensorInfo('b')],
      outputs,
      modelInfo: null,
    };
  }

  ready(name: string): boolean {
    requireM(name);
    return this.isReady;
  }

  refused(): void {
    this.refusals += 1;
  }

  status(): never {
    throw new Error('not asked by this protocol');
  }

  inputs(name: string): ReturnType<Serving['inputs']> {
    if (name !== 'm') return Promise.reject(new ServingError('PIPELINE_NAME_MISSING'));
    return Promise.resolve([tensorInfo('b')]);
  }
}

function requireM(name: string): void {
  if (name !== 'm') throw new ServingError('MODEL_NAME_MISSING');
}

/** A server that has nothing beyond KServe's protocol. */
export const NO_EXTENSIONS: KserveExtensions = {
  memory: null,
  statistics: () => Promise.resolve([]),
  allStatuses: () => [],
};

export function fakeCall(signal: AbortSignal = new AbortController().signal): RpcCall {
  return { arrived: 0, api: 'KServe', interface: 'gRPC', signal, wantsTimeline: false, setTrailer: () => undefined };
}

/** What comes over a stream: all of it, one message each. */
export async function* messages(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const message of all) yield await Promise.resolve(message);
}
