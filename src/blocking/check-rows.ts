import { ServingError } from '../errors.js';
import type { BoundTensor } from '../inference/binding-table.js';
import type { ModelDescription, PortDescription } from '../native/binding.js';
import { elementArray, elementOf, elementValue, isNumeric, type NumericPrecision } from '../tensors/elements.js';
import { ELEMENT_BYTES, precisionOfElementType } from '../tensors/precision.js';
import { elementCount, type Shape } from '../tensors/shape.js';
import { TrialRequest } from './trial-request.js';

/** Of the largest value of an output: far more than rounding in any precision, far less than what other rows do to a row. */
const TOLERANCE = 0.05;
/** Floating point alone is compared: of two equally good classes rounding may choose either. */
const COMPARED: ReadonlySet<NumericPrecision> = new Set(['FP64', 'FP32', 'FP16', 'BF16']);

/**
 * Infers two requests of invented numbers one by one and joined, because shapes do not tell whether a row of the outputs depends on the
 * other rows, as in a softmax over the batch. Nothing is checked where the model does not take such numbers, or a shape is only known
 * by the request.
 *
 * @param modelId a model compiled for joined rows; `description` has the shapes of one request.
 * @throws ServingError MODEL_BATCHING_INVALID when answers differ
 */
export function checkRows(modelId: number, description: ModelDescription): void {
  const trial = Trial.open(modelId, description);
  if (trial === null) return;
  try {
    const alone = [0, 1].map((request) => trial.infer(request, 1));
    const joined = trial.infer(0, 2);
    if (joined === null || alone.includes(null)) return;
    trial.compare(alone as (readonly number[][])[], joined);
  } finally {
    trial.close();
  }
}

/** A port as one request has it. */
interface TriedPort {
  readonly name: string;
  readonly precision: NumericPrecision;
  readonly shape: Shape;
  readonly bytes: number;
}

/** A port with its room for two requests. */
interface PlacedPort extends TriedPort {
  readonly byteOffset: number;
}

class Trial {
  readonly #request: TrialRequest;
  readonly #inputs: readonly PlacedPort[];
  readonly #outputs: readonly PlacedPort[];

  private constructor(modelId: number, inputs: readonly TriedPort[], outputs: readonly TriedPort[]) {
    const ports = [...inputs, ...outputs];
    const room = ports.map(({ bytes }) => 2 * bytes);
    this.#request = new TrialRequest(modelId, inputs.length, room);
    const placed = ports.map((port, index) => ({ ...port, byteOffset: this.#request.byteOffsets[index]! }));
    this.#inputs = placed.slice(0, inputs.length);
    this.#outputs = placed.slice(inputs.length);
    this.#inputs.forEach((input, seed) => this.#fill(input, seed));
  }

  /** `null` where a shape is not known. */
  static open(modelId: number, { inputs, outputs }: ModelDescription): Trial | null {
    const [triedInputs, triedOutputs] = [inputs.map(triedPort), outputs.map(triedPort)];
    if (!areKnown(triedInputs) || !areKnown(triedOutputs)) return null;
    return new Trial(modelId, triedInputs, triedOutputs);
  }

  /** Elements of each output; `null` when the inference fails. */
  infer(first: number, requests: number): number[][] | null {
    const bound = (port: PlacedPort, start: number): BoundTensor => ({
      slabId: this.#request.slabId,
      byteOffset: port.byteOffset + start,
      shape: [port.shape[0]! * requests, ...port.shape.slice(1)],
    });
    const inputs = this.#inputs.map((port) => bound(port, first * port.bytes));
    const outputs = this.#outputs.map((port) => bound(port, 0));
    if (!this.#request.bind([...inputs, ...outputs]) || !this.#request.infer()) return null;
    return this.#outputs.map((port) => this.#numbers(port, requests));
  }

  /** @throws ServingError MODEL_BATCHING_INVALID */
  compare(alone: readonly (readonly number[][])[], joined: readonly number[][]): void {
    this.#outputs.forEach(({ name, precision }, output) => {
      if (!COMPARED.has(precision)) return;
      const expected = alone.flatMap((outputs) => outputs[output]!);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // What is not finite on purpose tells nothing.
      const odd = joined[output]!.findIndex((value, index) => Math.abs(value - expected[index]!) > TOLERANCE * largest);
      if (odd === -1) return;
      const values = `${joined[output]![odd]!} in a batch, ${expected[odd]!} alone`;
      throw new ServingError(
        'MODEL_BATCHING_INVALID',
        `output ${name}: expected rows that do not depend on other rows, received ${values}`,
      );
    });
  }

  close(): void {
    this.#request.close();
  }

  #fill(port: PlacedPort, seed: number): void {
    const { precision } = port;
    const elements = this.#elements(port, 2);
    const toElement = elementOf(precision);
    // Between 0 and 1 for floating point; integers may be places in a table, so they are 0 or 1.
    const isFloat = COMPARED.has(precision);
    for (let index = 0; index < elements.length; index += 1) {
      const number = (Math.sin(12.9898 * (index + 1) + 78.233 * seed) * 43758.5453) % 1;
      elements[index] = toElement(isFloat ? Math.abs(number) : Math.round(Math.abs(number)));
    }
  }

  #numbers(port: PlacedPort, requests: number): number[] {
    const elements = this.#elements(port, requests);
    return Array.from({ length: elements.length }, (_, index) => Number(elementValue(port.precision, elements, index)));
  }

  #elements({ precision, byteOffset, bytes }: PlacedPort, requests: number) {
    return elementArray(precision, this.#request.buffer, byteOffset, (bytes * requests) / ELEMENT_BYTES[precision]);
  }
}

/** An open batch is tried with one row a request; other open sizes are not known. */
function triedPort({ names, elementType, dimensions }: PortDescription): TriedPort | null {
  const precision = precisionOfElementType(elementType);
  if (!isNumeric(precision) || dimensions === null) return null;
  if (dimensions.slice(1).some(([min, max]) => min !== max)) return null;
  const shape = dimensions.map(([min], axis) => (axis === 0 ? Math.max(1, min) : min));
  const bytes = (elementCount(shape) ?? 0) * ELEMENT_BYTES[precision];
  return { name: names[0] ?? 'without a name', precision, shape, bytes };
}

function areKnown(ports: readonly (TriedPort | null)[]): ports is readonly TriedPort[] {
  return !ports.includes(null);
}
