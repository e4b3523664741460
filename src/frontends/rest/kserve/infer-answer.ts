import type { ResponseTensor } from '../../../servables/predict-request.js';
import { type InferAnswerHead, type OutputTensor, placedTensor, placeParameters } from '../../kserve/infer-response.js';
import type { SharedTensors } from '../../kserve/shared-tensors.js';
import { outputStrings } from '../../../servables/strings/output-strings.js';
import { doubleTexts, stringTexts } from '../number-text.js';
import type { BinaryOutputs } from './infer-json.js';

const INDENT = '    ';

/** The body of an infer answer. */
export interface InferAnswer {
  readonly body: string | Buffer;
  /** Bytes of JSON in front of binary outputs; `null` when no output is binary. */
  readonly jsonBytes: number | null;
}

/**
 * The answer with its JSON laid out to the last blank as OVMS 2026.2.1 does. Outputs are copied: they may be released afterwards.
 * @param binaryOutputs which of the outputs follow the JSON.
 * @param shared outputs that are wanted there are brought there, and the JSON has their places. They may throw SHARED_MEMORY_TOO_SMALL.
 */
export function encodeInferAnswer(
  { modelName, version, id }: InferAnswerHead,
  outputs: readonly ResponseTensor[],
  { byDefault, byName }: BinaryOutputs,
  shared: SharedTensors | null = null,
): InferAnswer {
  const contents: Uint8Array[] = [];
  const tensors = outputs.map((output) => {
    const tensor = placedTensor(output, shared);
    if (tensor.place !== undefined) {
      // Triton's client in C++ takes no parameters without a size.
      return tensorJson(tensor, parametersJson({ binary_data_size: 0, ...placeParameters(tensor.place) }));
    }
    if (!(byName.get(output.name) ?? byDefault)) return tensorJson(tensor, dataJson(output));
    contents.push(tensor.content);
    return tensorJson(tensor, parametersJson({ binary_data_size: tensor.content.byteLength }));
  });
  const members = [
    `"model_name": ${JSON.stringify(modelName)}`,
    ...(id === '' ? [] : [`"id": ${JSON.stringify(id)}`]),
    `"model_version": "${version}"`,
    `"outputs": [${tensors.join(', ')}]`,
  ];
  const json = `{\n${INDENT}${members.join(`,\n${INDENT}`)}\n}`;
  if (contents.length === 0) return { body: json, jsonBytes: null };
  const head = Buffer.from(json);
  return { body: Buffer.concat([head, ...contents]), jsonBytes: head.byteLength };
}

function tensorJson({ name, shape, datatype }: OutputTensor, last: string): string {
  const members = [
    `"name": ${JSON.stringify(name)}`,
    `"shape": [${shape.join(', ')}]`,
    `"datatype": "${datatype}"`,
    last,
  ];
  const margin = INDENT.repeat(2);
  return `{\n${margin}${INDENT}${members.join(`,\n${margin}${INDENT}`)}\n${margin}}`;
}

function dataJson(output: ResponseTensor): string {
  const found = outputStrings(output);
  const texts = found === null ? doubleTexts(output) : stringTexts(found.strings);
  return `"data": [${texts.join(', ')}]`;
}

function parametersJson(parameters: Readonly<Record<string, string | number>>): string {
  const margin = INDENT.repeat(3);
  const members = Object.entries(parameters).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
  return `"parameters": {\n${margin}${INDENT}${members.join(`,\n${margin}${INDENT}`)}\n${margin}}`;
}
