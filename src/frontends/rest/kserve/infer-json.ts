import { ServingError } from '../../../errors.js';
import type { SharedMemoryPlace } from '../../../tensors/shared-memory.js';
import { stringBuffers } from '../../../tensors/strings.js';
import { precisionOfDataType } from '../../kserve/data-type.js';
import { sharedPlace, type TensorParameters } from '../../kserve/shared-parameters.js';
import type { SharedOutput } from '../../kserve/shared-tensors.js';
import { checkUnread, isJsonObject, parseJsonBody } from '../json-body.js';
import { type InferData, readInferData } from './infer-data.js';

/** The JSON of an infer request. Plain data: it survives a structured clone. */
export interface InferDocument {
  /** Empty when the request gave none. */
  readonly id: string;
  readonly inputs: readonly InferInput[];
  /** Names of the outputs to be answered in binary, of those that are listed. */
  readonly binaryOutputs: readonly string[];
  /** Listed outputs that are wanted in shared memory. */
  readonly sharedOutputs: readonly SharedOutput[];
}

export interface InferInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** The parameter `binary_data_size`; `null` when it is not there. */
  readonly binarySize: number | null;
  /** Where in shared memory the elements are; `null`: in the body. */
  readonly place: SharedMemoryPlace | null;
  /** `null`: the elements stand behind the JSON, or in shared memory. */
  readonly data: InferData | null;
}

/**
 * Decodes the JSON of an infer request; what is not named here is ignored (as OVMS 2026.2.1).
 * @param json only read, and not referred to by the result.
 * @throws ServingError for each rule of the format that is broken.
 */
export function decodeInferJson(json: Uint8Array): InferDocument {
  const document = parseJsonBody(json, false);
  try {
    if (!isJsonObject(document)) throw new ServingError('REST_BODY_IS_NOT_AN_OBJECT');
    const decoded = decodeDocument(hasWideIntegers(document) ? parseAgain(json) : document, json);
    checkUnread(withoutData(document), json);
    return decoded;
  } catch (error) {
    // Whatever else is wrong: what its parser does not take is refused for that (as OVMS 2026.2.1).
    checkUnread(document, json);
    throw error;
  }
}

type Json = Record<string, unknown>;

/** Only for them the digits of integers matter beyond what a double holds. */
function hasWideIntegers({ inputs }: Json): boolean {
  const isWide = (datatype: unknown): boolean => datatype === 'INT64' || datatype === 'UINT64';
  return Array.isArray(inputs) && inputs.some((input) => isJsonObject(input) && isWide(input['datatype']));
}

function parseAgain(json: Uint8Array): Json {
  return parseJsonBody(json, true) as Json;
}

/** Reading the data has shown how deep it is. */
function withoutData(document: Json): unknown {
  const inputs = document['inputs'] as readonly Json[];
  return { ...document, inputs: inputs.map((input) => ({ ...input, data: null })) };
}

function decodeDocument(document: Json, json: Uint8Array): InferDocument {
  const { id = '' } = document;
  if (typeof id !== 'string') throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const parameters = readParameters(document['parameters']);
  const outputs = readOutputs(document['outputs'], flagOf(parameters, 'binary_data_output') ?? false);
  return { id, ...outputs, inputs: readInputs(document['inputs'], json) };
}

/** Outputs are answered whether they are listed or not; the list only says how, and names of no output say nothing. */
function readOutputs(outputs: unknown, byDefault: boolean): Pick<InferDocument, 'binaryOutputs' | 'sharedOutputs'> {
  const binaryOutputs: string[] = [];
  const sharedOutputs: SharedOutput[] = [];
  if (outputs === undefined) return { binaryOutputs, sharedOutputs };
  if (!Array.isArray(outputs)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  for (const output of outputs as unknown[]) {
    if (!isJsonObject(output) || typeof output['name'] !== 'string')
      throw new ServingError('REST_COULD_NOT_PARSE_OUTPUT');
    const name = output['name'];
    const parameters = readParameters(output['parameters']);
    const place = sharedPlace(parameters, `output '${name}'`);
    if (place !== null) sharedOutputs.push({ name, place });
    if (flagOf(parameters, 'binary_data') ?? byDefault) binaryOutputs.push(name);
  }
  return { binaryOutputs, sharedOutputs };
}

function readInputs(inputs: unknown, json: Uint8Array): InferInput[] {
  if (inputs === undefined) throw new ServingError('REST_NO_INPUTS_FOUND');
  if (!Array.isArray(inputs)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  if (inputs.length === 0) throw new ServingError('REST_NO_INPUTS_FOUND');
  return inputs.map((input: unknown) => readInput(input, json));
}

function readInput(input: unknown, json: Uint8Array): InferInput {
  if (!isJsonObject(input)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const { name, datatype, data } = input;
  if (typeof name !== 'string' || typeof datatype !== 'string') throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const shape = readShape(input['shape']);
  const parameters = readParameters(input['parameters']);
  const binarySize = binarySizeOf(parameters);
  const place = sharedPlace(parameters, `input '${name}'`);
  if (data === undefined) return { name, datatype, shape, binarySize, place, data: null };
  return { name, datatype, shape, binarySize, place, data: readInferData(data, precisionOfDataType(datatype), json) };
}

function readShape(shape: unknown): number[] {
  if (!Array.isArray(shape)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  return shape.map((size: unknown) => {
    if (typeof size !== 'number' || size !== (size | 0) || size < 0) {
      throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
    }
    return size;
  });
}

function readParameters(parameters: unknown): TensorParameters {
  if (parameters === undefined) return {};
  if (!isJsonObject(parameters) || !Object.values(parameters).every(isParameter)) {
    throw new ServingError('REST_COULD_NOT_PARSE_PARAMETERS');
  }
  return parameters as TensorParameters;
}

function isParameter(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
}

function flagOf(parameters: TensorParameters, name: string): boolean | null {
  const value = Object.hasOwn(parameters, name) ? parameters[name] : null;
  if (value === null || typeof value === 'boolean') return value;
  throw new ServingError('REST_COULD_NOT_PARSE_PARAMETERS', `Expected: true or false; Actual: ${value}; name: ${name}`);
}

function binarySizeOf(parameters: TensorParameters): number | null {
  if (!Object.hasOwn(parameters, 'binary_data_size')) return null;
  const size = parameters['binary_data_size'];
  if (typeof size !== 'number' || size < 0) throw new ServingError('REST_BINARY_DATA_SIZE_INVALID');
  return size;
}

/** Buffers of a decoded document that can move to another thread instead of being copied. */
export function inferTransferList({ inputs }: InferDocument): ArrayBuffer[] {
  return inputs.flatMap(({ data }) => {
    if (data === null) return [];
    return data.kind === 'elements' ? data.bytes.buffer : stringBuffers(data.strings);
  });
}
