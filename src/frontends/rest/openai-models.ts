import { ServingError } from '../../errors.js';
import type { StatusSource } from './config-endpoints.js';
import type { Endpoint } from './endpoint.js';

/** Who OVMS 2026.2.1 says its models belong to. */
const OWNER = 'OVMS';

// The client libraries of OpenAI get a base URL that ends in `/v3` or in `/v3/v1`.
const MODELS = String.raw`^/v3/(?:v1/)?models`;

/** The list of models as OpenAI's clients ask for it: every model and pipeline that answers now, sorted by name. */
export function openAiModelEndpoints(source: StatusSource): readonly Endpoint[] {
  const created = Math.floor(performance.timeOrigin / 1000);
  const models = (): OpenAiModel[] =>
    source
      .allStatuses()
      .filter(({ versions }) => versions.some(({ state }) => state === 'AVAILABLE'))
      .map(({ name }): OpenAiModel => ({ id: name, object: 'model', created, owned_by: OWNER }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  const get = (path: string, answer: (name: string) => unknown): Endpoint => ({
    api: 'TensorFlowServing',
    method: 'GET',
    path: new RegExp(path),
    handle: ({ parameters }) => ({ status: 200, body: JSON.stringify(answer(parameters['name'] ?? '')) }),
  });
  return [
    get(`${MODELS}$`, () => ({ object: 'list', data: models() })),
    // Names may have slashes.
    get(`${MODELS}/(?<name>.+)$`, (name) => {
      const found = models().find(({ id }) => id === name);
      if (found === undefined) throw new ServingError('MODEL_NAME_MISSING');
      return found;
    }),
  ];
}

interface OpenAiModel {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since 1970. */
  readonly created: number;
  readonly owned_by: string;
}
