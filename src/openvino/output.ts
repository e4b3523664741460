import type { Output as OutputInterface, PartialShape } from './api.js';
import type { Port } from './port.js';

/** An input or output of a compiled model, as openvino-node shows it. */
export class Output implements OutputInterface {
  readonly #port: Port;

  /** @internal Compiled models make them. */
  constructor(port: Port) {
    this.#port = port;
  }

  get anyName(): string {
    return this.#port.name;
  }

  /** @throws Error when the shape is dynamic */
  get shape(): number[] {
    return this.#port.shape;
  }

  getAnyName(): string {
    return this.anyName;
  }

  getShape(): number[] {
    return this.shape;
  }

  getPartialShape(): PartialShape {
    return this.#port.partialShape;
  }

  /** The name, so that `result[compiledModel.output()]` finds the output's tensor. */
  toString(): string {
    return this.anyName;
  }
}
