import { ServingError } from '#src/errors.js';
import type { RestBackend } from '#src/frontends/rest/tfs-endpoints.js';
import type { ServableStatus } from '#src/frontends/rest/status-json.js';
import type { PredictRequest } from '#src/servables/predict-request.js';
import type { CallContext, PredictResult, ServableMetadata, Timeline, VersionStatus } from '#src/servables/serving.js';
import type { Precision } from '#src/tensors/precision.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';

export function tensorInfo(name: string, precision: Precision = 'FP32'): TensorInfo {
  return { name, precision, shape: [{ min: 0, max: Infinity }], layout: 'N...' };
}

/** What a test may replace; `released` counts the results given back, `encoded` those that were answered before. */
export interface FakeBackend extends RestBackend {
  released: number;
  encoded: number;
  /** Servables whose requests could not be decoded. */
  readonly refusals: string[];
  readonly calls: { request: PredictRequest; call: CallContext }[];
  answer: (request: PredictRequest, call: CallContext) => Promise<void> | void;
  timeline: Timeline | null;
  statuses: readonly ServableStatus[];
}

const AVAILABLE: VersionStatus = { version: 1, state: 'AVAILABLE', errorCode: 'OK' };

/** One servable, `echo`, with an FP32 input `b` that comes back as output `a`. */
export function fakeBackend(): FakeBackend {
  const infos = [tensorInfo('b')];
  const requireEcho = (name: string): void => {
    if (name !== 'echo') throw new ServingError('MODEL_NAME_MISSING');
  };
  const backend: FakeBackend = {
    released: 0,
    encoded: 0,
    refusals: [],
    refused: (name) => void backend.refusals.push(name),
    calls: [],
    answer: () => undefined,
    timeline: null,
    statuses: [{ name: 'echo', versions: [AVAILABLE] }],
    allStatuses: () => backend.statuses,
    status(name: string): readonly VersionStatus[] {
      requireEcho(name);
      return [AVAILABLE];
    },
    ready(name: string): boolean {
      requireEcho(name);
      return true;
    },
    metadata(name: string): ServableMetadata {
      requireEcho(name);
      return { name, version: 1, versions: [1], inputs: infos, outputs: [tensorInfo('a')], modelInfo: null };
    },
    inputs(name: string): Promise<readonly TensorInfo[]> {
      if (name !== 'echo') return Promise.reject(new ServingError('PIPELINE_NAME_MISSING'));
      return Promise.resolve(infos);
    },
    async predict(request: PredictRequest, call: CallContext): Promise<PredictResult> {
      backend.calls.push({ request, call });
      await backend.answer(request, call);
      const input = request.inputs.get('b');
      if (input?.content.kind !== 'bytes') throw new ServingError('INVALID_MISSING_INPUT', 'Required input: b');
      return {
        outputs: [{ name: 'a', precision: 'FP32', shape: input.shape, bytes: input.content.bytes }],
        declaredOutputs: 1,
        version: 1,
        timeline: backend.timeline,
        encoded: () => void (backend.encoded += 1),
        release: () => void (backend.released += 1),
      };
    },
  };
  return backend;
}
