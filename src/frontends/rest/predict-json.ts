import { NESTING_LIMIT } from '../../config/json-nesting.js';
import { ServingError } from '../../errors.js';
import type { RequestTensor } from '../../servables/predict-request.js';
import type { Precision } from '../../tensors/precision.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import { stringBuffers } from '../../tensors/strings.js';
import { checkUnread, isJsonObject, type JsonBody, parseJsonBody } from './json-body.js';
import { isBase64, type NdarrayContext, readNdarray } from './ndarray.js';

/** `row`: a list of instances. `column`: one tensor an input. The answer has the order of the request. */
export type PredictOrder = 'row' | 'column';

/**
 * A TensorFlow Serving REST request. Plain data: it survives a structured clone, and its bytes and strings own their ArrayBuffers
 * (`transferList`), little-endian in the precision of the input.
 */
export interface DecodedPredictBody {
  readonly order: PredictOrder;
  readonly inputs: ReadonlyMap<string, RequestTensor>;
}

/**
 * Decodes the JSON body of a predict request: `instances` (row) or `inputs` (column), named or, for servables with one input,
 * unnamed; whatever else it holds is ignored (as OVMS 2026.2.1).
 * @param body only read, and not referred to by the result.
 * @param inputs of the servable, whose precisions the numbers are written in. Names it does not have are decoded too, so that
 *   the servable can count them.
 * @throws ServingError for each rule of the format that is broken.
 */
export function decodePredictBody(body: Uint8Array, inputs: readonly TensorInfo[]): DecodedPredictBody {
  const exactIntegers = inputs.some(({ precision }) => precision === 'I64' || precision === 'U64');
  const parsed = parseJsonBody(body, exactIntegers);
  try {
    const decoded = decodeDocument(parsed, inputs, body);
    checkUnread(unreadPart(parsed, decoded), body);
    return decoded;
  } catch (error) {
    // Whatever else is wrong: what its parser does not take is refused for that (as OVMS 2026.2.1).
    checkUnread(parsed, body);
    throw error;
  }
}

function decodeDocument(
  { value: document, isExact }: JsonBody,
  infos: readonly TensorInfo[],
  body: Uint8Array,
): DecodedPredictBody {
  if (!isJsonObject(document)) throw new ServingError('REST_BODY_IS_NOT_AN_OBJECT');
  const isRow = Object.hasOwn(document, 'instances');
  if (isRow === Object.hasOwn(document, 'inputs')) throw new ServingError('REST_PREDICT_UNKNOWN_ORDER');
  return isRow
    ? { order: 'row', inputs: decodeRow(document['instances'], infos, { body, isExact }) }
    : { order: 'column', inputs: decodeColumn(document['inputs'], infos, { body, isExact }) };
}

/** Containers around an ndarray and in its elements: body, list or map of inputs, instance, `{"b64": ...}`. */
const LEVELS_BESIDE_AN_NDARRAY = 4;

/** What decoding has not shown to be shallow: the ignored members, and all of it when an ndarray comes near the limit. */
function unreadPart(parsed: JsonBody, { inputs }: DecodedPredictBody): JsonBody {
  const { value: document, isExact } = parsed;
  const ranks = Array.from(inputs.values(), ({ shape }) => shape.length);
  if (!isJsonObject(document) || ranks.some((rank) => rank > NESTING_LIMIT - LEVELS_BESIDE_AN_NDARRAY)) return parsed;
  return { value: { ...document, instances: null, inputs: null }, isExact };
}

/** Buffers of a decoded body that can move to another thread instead of being copied. */
export function transferList({ inputs }: DecodedPredictBody): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const { content } of inputs.values()) {
    if (content.kind === 'strings') buffers.push(...stringBuffers(content.strings));
    if (content.kind === 'bytes' && content.bytes.buffer instanceof ArrayBuffer) buffers.push(content.bytes.buffer);
  }
  return buffers;
}

type Inputs = Map<string, RequestTensor>;
type JsonText = Pick<NdarrayContext, 'body' | 'isExact'>;

function decodeRow(instances: unknown, infos: readonly TensorInfo[], text: JsonText): Inputs {
  if (!Array.isArray(instances)) throw new ServingError('REST_INSTANCES_NOT_AN_ARRAY');
  if (instances.length === 0) throw new ServingError('REST_NO_INSTANCES_FOUND');
  const context: NdarrayContext = { ...text, error: 'REST_COULD_NOT_PARSE_INSTANCE' };
  const first: unknown = instances[0];
  if (isJsonObject(first) && !isBase64(first)) return decodeNamedRow(instances, infos, context);
  if (first === null || (typeof first === 'boolean' && !infos.some(({ precision }) => precision === 'BOOL'))) {
    throw new ServingError('REST_INSTANCES_NOT_NAMED_OR_NONAMED');
  }
  return decodeUnnamed(instances, infos, context);
}

function decodeNamedRow(instances: readonly unknown[], infos: readonly TensorInfo[], context: NdarrayContext): Inputs {
  const inputs = decodeTensors(gatherInstances(instances), infos, context);
  const batchSizes = new Set(Array.from(inputs.values(), ({ shape }) => shape[0]));
  if (batchSizes.size > 1) throw new ServingError('REST_INSTANCES_BATCH_SIZE_DIFFER');
  return inputs;
}

/** Lines up what the instances say of each input: the list of instances becomes the first dimension. */
function gatherInstances(instances: readonly unknown[]): Map<string, unknown[]> {
  const columns = new Map<string, unknown[]>();
  for (const instance of instances) {
    if (!isJsonObject(instance)) throw new ServingError('REST_NAMED_INSTANCE_NOT_AN_OBJECT');
    const members = Object.entries(instance);
    if (members.length === 0) throw new ServingError('REST_COULD_NOT_PARSE_INSTANCE');
    for (const [name, value] of members) {
      const column = columns.get(name);
      if (column === undefined) columns.set(name, [value]);
      else column.push(value);
    }
  }
  return columns;
}

function decodeColumn(node: unknown, infos: readonly TensorInfo[], text: JsonText): Inputs {
  const context: NdarrayContext = { ...text, error: 'REST_COULD_NOT_PARSE_INPUT' };
  if (Array.isArray(node)) return decodeUnnamed(node, infos, context);
  if (!isJsonObject(node)) throw new ServingError('REST_INPUTS_NOT_AN_OBJECT');
  const members = Object.entries(node);
  if (members.length === 0) throw new ServingError('REST_NO_INPUTS_FOUND');
  return decodeTensors(members, infos, context);
}

function decodeUnnamed(values: readonly unknown[], infos: readonly TensorInfo[], context: NdarrayContext): Inputs {
  const [info, ...others] = infos.filter(({ isOptional }) => isOptional !== true);
  if (info === undefined || others.length > 0) throw new ServingError('REST_INPUT_NOT_PREALLOCATED');
  return decodeTensors([[info.name, values]], infos, context);
}

function decodeTensors(
  members: Iterable<readonly [string, unknown]>,
  infos: readonly TensorInfo[],
  context: NdarrayContext,
): Inputs {
  const precisions = new Map<string, Precision>(infos.map(({ name, precision }) => [name, precision]));
  const inputs: Inputs = new Map();
  for (const [name, value] of members) inputs.set(name, readNdarray(value, precisions.get(name) ?? null, context));
  return inputs;
}
