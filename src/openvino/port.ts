import type { PortDescription } from '../native/binding.js';
import type { ElementTypeName } from './api.js';
import { elementTypeName } from './element.js';
import { PartialShape } from './partial-shape.js';
import { Tensor } from './tensor.js';

/** An input or output of a compiled model, and which tensors may be set on it. */
export class Port {
  readonly kind: 'input' | 'output';
  readonly index: number;
  readonly names: readonly string[];
  /** The first name in alphabetical order, as OpenVINO; a nameless port is called as the server calls it. */
  readonly name: string;
  readonly partialShape: PartialShape;
  readonly #description: PortDescription;

  constructor(kind: 'input' | 'output', index: number, description: PortDescription) {
    this.kind = kind;
    this.index = index;
    this.names = description.names;
    this.name = description.names[0] ?? description.name;
    this.partialShape = new PartialShape(description.dimensions);
    this.#description = description;
  }

  /** For messages. */
  get label(): string {
    return `${this.kind} '${this.name}'`;
  }

  /** @throws TypeError for types that shared memory cannot hold */
  get elementType(): ElementTypeName {
    return elementTypeName(this.#description.elementType, `element type of ${this.label}`);
  }

  /** @throws Error when it is not fixed */
  get shape(): number[] {
    const { dimensions } = this.#description;
    if (dimensions === null || this.partialShape.isDynamic()) {
      throw new Error(`the shape of ${this.label} is dynamic: ${this.partialShape.toString()}; use getPartialShape()`);
    }
    return dimensions.map(([size]) => size);
  }

  /** The tensor that stands in for one that was not set: of the smallest shape that the port allows. */
  newTensor(): Tensor {
    const { dimensions } = this.#description;
    return new Tensor(this.elementType, dimensions === null ? [0] : dimensions.map(([min]) => min));
  }

  /** @throws TypeError when the model cannot take the tensor; native code takes the type on trust */
  check(tensor: Tensor): void {
    if (tensor.elementTypeName !== this.elementType || !this.#accepts(tensor.getShape())) {
      const expected = `${this.elementType} ${this.partialShape.toString()}`;
      throw new TypeError(`${this.label}: expected a tensor of ${expected}, received ${tensor.toString()}`);
    }
  }

  #accepts(shape: readonly number[]): boolean {
    const { dimensions } = this.#description;
    if (dimensions === null) return true;
    // An output of a dynamic shape takes what the inference needs, which only the inference knows.
    if (this.kind === 'output' && this.partialShape.isDynamic()) return true;
    return (
      shape.length === dimensions.length &&
      dimensions.every(([min, max], axis) => shape[axis]! >= min && (max === -1 || shape[axis]! <= max))
    );
  }
}
