import { ServingError } from '../../errors.js';
import { SEQUENCE_CONTROL, type SequenceControl, type SequenceRequest } from '../../inference/inference.js';
import { formatShape } from '../../tensors/shape.js';
import type { TensorInfo } from '../../tensors/tensor-info.js';
import type { PredictRequest, RequestTensor, ResponseTensor } from '../predict-request.js';

const SEQUENCE_ID = 'sequence_id';
const SEQUENCE_CONTROL_INPUT = 'sequence_control_input';
const ONE = [{ min: 1, max: 1 }];

/**
 * What a request to a stateful model may carry beside the model's own inputs (as OVMS 2026.2.1): which sequence it belongs to, and
 * whether it is the first or the last of it. Not part of the model's metadata.
 */
export const SEQUENCE_INPUTS: readonly TensorInfo[] = Object.freeze([
  { name: SEQUENCE_CONTROL_INPUT, precision: 'U32', shape: ONE, layout: '...', isOptional: true },
  { name: SEQUENCE_ID, precision: 'U64', shape: ONE, layout: '...', isOptional: true },
]);

/**
 * What a request asks of its sequence. An absent input counts as 0, which means no id, or nothing special.
 *
 * @throws ServingError SPECIAL_INPUT_NO_SHAPE, INVALID_NO_OF_SHAPE_DIMENSIONS, INVALID_SHAPE, SEQUENCE_ID_BAD_TYPE,
 * SEQUENCE_CONTROL_BAD_TYPE, SEQUENCE_CONTROL_INVALID, SEQUENCE_ID_NOT_PROVIDED (in this order for the id, then for the control, as OVMS
 * 2026.2.1)
 */
export function readSequenceRequest(inputs: PredictRequest['inputs']): SequenceRequest {
  const id = readElement(inputs, SEQUENCE_ID, 8);
  if (id === null) throw new ServingError('SEQUENCE_ID_BAD_TYPE');
  const control = readElement(inputs, SEQUENCE_CONTROL_INPUT, 4);
  if (control === null) throw new ServingError('SEQUENCE_CONTROL_BAD_TYPE');
  const sequenceId = id.getBigUint64(0, true);
  const number = control.getUint32(0, true);
  if (!isControl(number)) throw new ServingError('SEQUENCE_CONTROL_INVALID');
  if (sequenceId === 0n && number !== SEQUENCE_CONTROL.START) throw new ServingError('SEQUENCE_ID_NOT_PROVIDED');
  return { sequenceId, control: number };
}

/** The output that tells a client its sequence: U64 [1]. */
export function sequenceIdOutput(sequenceId: bigint): ResponseTensor {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, sequenceId, true);
  return { name: SEQUENCE_ID, precision: 'U64', shape: [1], bytes, inValueField: true };
}

function isControl(number: number): number is SequenceControl {
  return Object.values<number>(SEQUENCE_CONTROL).includes(number);
}

/** The one element of an input, zero when it is absent; `null` when it is of another type or there is none, or more than one. */
function readElement(inputs: PredictRequest['inputs'], name: string, byteLength: number): DataView | null {
  const element = new Uint8Array(byteLength);
  const tensor = inputs.get(name);
  if (tensor !== undefined) {
    checkShape(tensor, name);
    if (!copyElement(tensor, name, element)) return null;
  }
  return new DataView(element.buffer);
}

function checkShape({ shape }: RequestTensor, name: string): void {
  if (shape.length === 0) throw new ServingError('SPECIAL_INPUT_NO_SHAPE');
  const required = `Required shape for ${name} is: ${formatShape([1])}`;
  if (shape.length > 1) throw new ServingError('INVALID_NO_OF_SHAPE_DIMENSIONS', required);
  if (shape[0] !== 1) throw new ServingError('INVALID_SHAPE', required);
}

/** Takes raw bytes as well as typed fields, where OVMS 2026.2.1 reads only typed fields. */
function copyElement({ precision, content }: RequestTensor, name: string, element: Uint8Array): boolean {
  if (precision !== SEQUENCE_INPUTS.find((info) => info.name === name)!.precision) return false;
  if (content.kind === 'bytes' && content.bytes.byteLength === element.byteLength) element.set(content.bytes);
  else if (content.kind === 'values' && content.count === 1) content.writeTo(element);
  else return false;
  return true;
}
