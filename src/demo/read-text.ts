import { ClientError } from '../client/client-error.js';
import { outputArray } from '../client/prediction.js';
import type { NdArray } from '../client/npy.js';
import type { Connection } from '../client/connection.js';
import { METHOD } from '../frontends/tfs/method.js';
import { decodePredictResponse, encodePredictRequest } from '../frontends/tfs/predict-message.js';
import type { RequestTensor } from '../servables/predict-request.js';
import { toViews } from '../tensors/strings.js';

/** A line of text in a picture. */
export interface TextLine {
  readonly text: string;
  /** How sure the recogniser is, up to 1. */
  readonly confidence: number;
  /** Corners (x, y) in pixels: top left, top right, bottom right, bottom left. */
  readonly box: readonly (readonly [number, number])[];
}

const CORNERS = 4;
const utf8 = new TextDecoder();

/**
 * Reads a picture with the pipeline `read_text`.
 * @param picture U8 [1,height,width,3], blue, green, red.
 * @throws ClientError when the server answers with an error, or with something else than lines.
 */
export async function readText(connection: Connection, picture: NdArray): Promise<TextLine[]> {
  const { shape, elements } = picture;
  const bytes = Uint8Array.from(elements);
  const request = encodePredictRequest('read_text', null, [{ name: 'image', precision: 'U8', shape, bytes }]);
  const answer = await connection.call(METHOD.PREDICT, request);
  return textLines(decodePredictResponse(answer.bytes));
}

/** The lines in the outputs of the pipeline. @throws ClientError */
export function textLines(outputs: ReadonlyMap<string, RequestTensor>): TextLine[] {
  const texts = strings(outputs, 'text_string');
  const confidences = array(outputs, 'confidence');
  const boxes = array(outputs, 'boxes');
  return texts.map((text, index) => ({
    text: utf8.decode(text),
    confidence: confidences.elements[index]!,
    box: Array.from({ length: CORNERS }, (__, corner) => cornerOf(boxes, 2 * (index * CORNERS + corner))),
  }));
}

function strings(outputs: ReadonlyMap<string, RequestTensor>, name: string): readonly Uint8Array[] {
  const { content, precisionText } = output(outputs, name);
  if (content.kind === 'strings') return toViews(content.strings);
  throw new ClientError(`Expected strings of the output ${name}, received ${precisionText}`);
}

function array(outputs: ReadonlyMap<string, RequestTensor>, name: string): NdArray {
  return outputArray(name, output(outputs, name));
}

function output(outputs: ReadonlyMap<string, RequestTensor>, name: string): RequestTensor {
  const tensor = outputs.get(name);
  if (tensor === undefined) {
    throw new ClientError(`Expected the output ${name}, received ${[...outputs.keys()].join(', ')}`);
  }
  return tensor;
}

function cornerOf({ elements }: NdArray, at: number): [number, number] {
  return [elements[at]!, elements[at + 1]!];
}
