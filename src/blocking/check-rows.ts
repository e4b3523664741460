import { ServingError } from '../errors.js';
import { BindingTable, type BoundTensor } from '../inference/binding-table.js';
import type { ModelDescription, PortDescription } from '../native/binding.js';
import { loadNativeBinding } from '../native/load.js';
import { REGION_ALIGNMENT } from '../tensors/arena.js';
import { elementArray, elementOf, elementValue, isNumeric, type NumericPrecision } from '../tensors/elements.js';
import { ELEMENT_BYTES, precisionOfElementType } from '../tensors/precision.js';
import { elementCount, type Shape } from '../tensors/shape.js';

const TOKEN = 0;
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
  /** Where its room for two requests begins. */
  readonly byteOffset: number;
}

class Trial {
  readonly #binding = loadNativeBinding();
  readonly #inputs: readonly TriedPort[];
  readonly #outputs: readonly TriedPort[];
  readonly #buffer: SharedArrayBuffer;
  readonly #slabId: number;
  readonly #table: BindingTable;
  readonly #model;
  readonly #request;

  private constructor(
    modelId: number,
    inputs: readonly TriedPort[],
    outputs: readonly TriedPort[],
    buffer: SharedArrayBuffer,
  ) {
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#buffer = buffer;
    this.#table = new BindingTable(inputs.length, outputs.length);
    this.#model = this.#binding.openModel(modelId);
    this.#request = this.#binding.createInferRequest(this.#model, this.#table.numbers);
    this.#slabId = this.#binding.registerSlab(new Uint8Array(buffer));
    inputs.forEach((input, seed) => this.#fill(input, seed));
  }

  /** `null` where a shape is not known. */
  static open(modelId: number, { inputs, outputs }: ModelDescription): Trial | null {
    let byteLength = 0;
    const place = (port: PortDescription): TriedPort | null => {
      const tried = triedPort(port, byteLength);
      if (tried !== null) byteLength += Math.ceil((2 * tried.bytes) / REGION_ALIGNMENT) * REGION_ALIGNMENT;
      return tried;
    };
    const [triedInputs, triedOutputs] = [inputs.map(place), outputs.map(place)];
    if (!areKnown(triedInputs) || !areKnown(triedOutputs)) return null;
    return new Trial(modelId, triedInputs, triedOutputs, new SharedArrayBuffer(Math.max(1, byteLength)));
  }

  /** Elements of each output; `null` when the inference fails. */
  infer(first: number, requests: number): number[][] | null {
    const bound = (port: TriedPort, start: number): BoundTensor => ({
      slabId: this.#slabId,
      byteOffset: port.byteOffset + start,
      shape: [port.shape[0]! * requests, ...port.shape.slice(1)],
    });
    const fault = this.#table.write(
      this.#inputs.map((port) => bound(port, first * port.bytes)),
      this.#outputs.map((port) => bound(port, 0)),
    );
    if (fault !== null) return null;
    if (this.#binding.infer(this.#request, TOKEN) !== 0) {
      this.#binding.takeError(TOKEN);
      return null;
    }
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
    this.#binding.closeInferRequest(this.#request);
    this.#binding.unregisterSlab(this.#slabId);
    this.#binding.closeModel(this.#model);
  }

  #fill(port: TriedPort, seed: number): void {
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

  #numbers(port: TriedPort, requests: number): number[] {
    const elements = this.#elements(port, requests);
    return Array.from({ length: elements.length }, (_, index) => Number(elementValue(port.precision, elements, index)));
  }

  #elements({ precision, byteOffset, bytes }: TriedPort, requests: number) {
    return elementArray(precision, this.#buffer, byteOffset, (bytes * requests) / ELEMENT_BYTES[precision]);
  }
}

/** An open batch is tried with one row a request; other open sizes are not known. */
function triedPort({ names, elementType, dimensions }: PortDescription, byteOffset: number): TriedPort | null {
  const precision = precisionOfElementType(elementType);
  if (!isNumeric(precision) || dimensions === null) return null;
  if (dimensions.slice(1).some(([min, max]) => min !== max)) return null;
  const shape = dimensions.map(([min], axis) => (axis === 0 ? Math.max(1, min) : min));
  const bytes = (elementCount(shape) ?? 0) * ELEMENT_BYTES[precision];
  return { name: names[0] ?? 'without a name', precision, shape, bytes, byteOffset };
}

function areKnown(ports: readonly (TriedPort | null)[]): ports is readonly TriedPort[] {
  return !ports.includes(null);
}
