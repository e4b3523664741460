/** The ways a client may come; the values of the labels `api` and `interface`. */
export const APIS = ['TensorFlowServing', 'KServe'] as const;
export const INTERFACES = ['gRPC', 'REST'] as const;

/** What a client may ask of a servable, in words of no API. */
export const QUESTIONS = ['predict', 'metadata', 'status'] as const;
export type Question = (typeof QUESTIONS)[number];

/** What each API calls the questions; the values of the label `method`. */
export const METHODS: Readonly<Record<Caller['api'], Readonly<Record<Question, string>>>> = {
  TensorFlowServing: { predict: 'Predict', metadata: 'GetModelMetadata', status: 'GetModelStatus' },
  KServe: { predict: 'ModelInfer', metadata: 'ModelMetadata', status: 'ModelReady' },
};

/** Which door a request came through. */
export interface Caller {
  readonly api: (typeof APIS)[number];
  readonly interface: (typeof INTERFACES)[number];
}

/** Combinations of API, question and interface. */
export const REQUEST_KINDS = APIS.length * QUESTIONS.length * INTERFACES.length;

/** Place of a combination among them: by API, then question, then interface. */
export function requestKind(caller: Caller, question: Question): number {
  const api = caller.api === 'KServe' ? QUESTIONS.length : 0;
  const asked = question === 'predict' ? 0 : question === 'metadata' ? 1 : 2;
  return (api + asked) * INTERFACES.length + interfaceIndex(caller);
}

/** 0 for gRPC, 1 for REST. */
export function interfaceIndex(caller: Caller): number {
  return caller.interface === 'gRPC' ? 0 : 1;
}
