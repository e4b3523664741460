import { ServingError } from '../../../errors.js';
import type { SharedMemoryPlace } from '../../../tensors/shared-memory.js';
import { stringBuffers } from '../../../tensors/strings.js';
import { precisionOfDataType } from '../../kserve/data-type.js';
import { isSize, sharedPlace, type TensorParameters } from '../../kserve/shared-parameters.js';
import type { SharedOutput } from '../../kserve/shared-tensors.js';
import { checkUnread, isJsonObject, type JsonBody, parseJsonBody } from '../json-body.js';
import { type InferData, readInferData } from './infer-data.js';
import { shortened } from '../../../texts.js';

/** The JSON of an infer request. Plain data: it survives a structured clone. */
export interface InferDocument {
  /** Empty when the request gave none. */
  readonly id: string;
  readonly inputs: readonly InferInput[];
  /** Which outputs are to be answered in binary. */
  readonly binaryOutputs: BinaryOutputs;
  /** Listed outputs that are wanted in shared memory. */
  readonly sharedOutputs: readonly SharedOutput[];
}

/** Which outputs follow the JSON of an answer. */
export interface BinaryOutputs {
  /** The parameter `binary_data_output` of the request: for outputs that are not listed, or say nothing. */
  readonly byDefault: boolean;
  /** The parameter `binary_data` of listed outputs, by name. */
  readonly byName: ReadonlyMap<string, boolean>;
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
  const parsed = parseJsonBody(json, false);
  const { value: document, isExact } = parsed;
  try {
    if (!isJsonObject(document)) throw new ServingError('REST_BODY_IS_NOT_AN_OBJECT');
    const read = !isExact && hasWideIntegers(document) ? parseJsonBody(json, true) : parsed;
    const decoded = decodeDocument(read.value as Json, json, read.isExact);
    checkUnread(withoutData(document, isExact), json);
    return decoded;
  } catch (error) {
    // Whatever else is wrong: what its parser does not take is refused for that (as OVMS 2026.2.1).
    checkUnread(parsed, json);
    throw error;
  }
}

type Json = Record<string, unknown>;

/** Only for them the digits of integers matter beyond what a double holds. */
function hasWideIntegers({ inputs }: Json): boolean {
  const isWide = (datatype: unknown): boolean => datatype === 'INT64' || datatype === 'UINT64';
  return Array.isArray(inputs) && inputs.some((input) => isJsonObject(input) && isWide(input['datatype']));
}

/** Reading the data has shown how deep it is. */
function withoutData(document: Json, isExact: boolean): JsonBody {
  const inputs = document['inputs'] as readonly Json[];
  return { value: { ...document, inputs: inputs.map((input) => ({ ...input, data: null })) }, isExact };
}

function decodeDocument(document: Json, json: Uint8Array, isExact: boolean): InferDocument {
  const { id = '' } = document;
  if (typeof id !== 'string') throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const parameters = readParameters(document['parameters']);
  const outputs = readOutputs(document['outputs'], flagOf(parameters, 'binary_data_output') ?? false);
  return { id, ...outputs, inputs: readInputs(document['inputs'], json, isExact) };
}

/** Outputs are answered whether they are listed or not; the list only says how, and names of no output say nothing. */
function readOutputs(outputs: unknown, byDefault: boolean): Pick<InferDocument, 'binaryOutputs' | 'sharedOutputs'> {
  const byName = new Map<string, boolean>();
  const binaryOutputs: BinaryOutputs = { byDefault, byName };
  const sharedOutputs: SharedOutput[] = [];
  if (outputs === undefined) return { binaryOutputs, sharedOutputs };
  if (!Array.isArray(outputs)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  for (const output of outputs as unknown[]) {
    if (!isJsonObject(output) || typeof output['name'] !== 'string')
      throw new ServingError('REST_COULD_NOT_PARSE_OUTPUT');
    const name = output['name'];
    const parameters = readParameters(output['parameters']);
    const place = sharedPlace(parameters, `output '${shortened(name)}'`);
    if (place !== null) sharedOutputs.push({ name, place });
    const isBinary = flagOf(parameters, 'binary_data');
    if (isBinary !== null) byName.set(name, isBinary);
  }
  return { binaryOutputs, sharedOutputs };
}

function readInputs(inputs: unknown, json: Uint8Array, isExact: boolean): InferInput[] {
  if (inputs === undefined) throw new ServingError('REST_NO_INPUTS_FOUND');
  if (!Array.isArray(inputs)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  if (inputs.length === 0) throw new ServingError('REST_NO_INPUTS_FOUND');
  return inputs.map((input: unknown) => readInput(input, json, isExact));
}

function readInput(input: unknown, json: Uint8Array, isExact: boolean): InferInput {
  if (!isJsonObject(input)) throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const { name, datatype, data } = input;
  if (typeof name !== 'string' || typeof datatype !== 'string') throw new ServingError('REST_COULD_NOT_PARSE_INPUT');
  const shape = readShape(input['shape']);
  const parameters = readParameters(input['parameters']);
  const binarySize = binarySizeOf(parameters);
  const place = sharedPlace(parameters, `input '${shortened(name)}'`);
  const elements = data === undefined ? null : readInferData(data, precisionOfDataType(datatype), json, isExact);
  return { name, datatype, shape, binarySize, place, data: elements };
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
  if (!Object.values(parameters).some(isBigInt)) return parameters as TensorParameters;
  const numbers = Object.entries(parameters).map(([name, value]) => [name, isBigInt(value) ? Number(value) : value]);
  return Object.fromEntries(numbers) as TensorParameters;
}

/** Any number: those that mean something are checked where they are used. */
function isParameter(value: unknown): boolean {
  return ['string', 'boolean', 'number', 'bigint'].includes(typeof value);
}

function isBigInt(value: unknown): value is bigint {
  return typeof value === 'bigint';
}

function flagOf(parameters: TensorParameters, name: string): boolean | null {
  const value = Object.hasOwn(parameters, name) ? parameters[name] : null;
  if (value === null || typeof value === 'boolean') return value;
  throw new ServingError(
    'REST_COULD_NOT_PARSE_PARAMETERS',
    `Expected: true or false; Actual: ${shortened(String(value))}; name: ${name}`,
  );
}

function binarySizeOf(parameters: TensorParameters): number | null {
  if (!Object.hasOwn(parameters, 'binary_data_size')) return null;
  const size = parameters['binary_data_size'];
  if (!isSize(size)) throw new ServingError('REST_BINARY_DATA_SIZE_INVALID');
  return size;
}

/** Buffers of a decoded document that can move to another thread instead of being copied. */
export function inferTransferList({ inputs }: InferDocument): ArrayBuffer[] {
  return inputs.flatMap(({ data }) => {
    if (data === null) return [];
    return data.kind === 'elements' ? data.bytes.buffer : stringBuffers(data.strings);
  });
}
