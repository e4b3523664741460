import type { PortDescription } from '../native/binding.js';
import { Port } from './port.js';
import { describe } from './tensor.js';

/** The inputs or the outputs of a compiled model, found by index or by any of their names. */
export class Ports {
  readonly list: readonly Port[];
  readonly #kind: 'input' | 'output';

  constructor(kind: 'input' | 'output', descriptions: readonly PortDescription[]) {
    this.#kind = kind;
    this.list = descriptions.map((description, index) => new Port(kind, index, description));
  }

  /** @throws RangeError when there is no such port, or several and none was named */
  find(nameOrIndex: string | number | undefined): Port {
    if (nameOrIndex === undefined) return this.#only();
    const port = typeof nameOrIndex === 'string' ? this.named(nameOrIndex) : this.list[nameOrIndex];
    if (port === undefined) throw new RangeError(`${this.#expected()}, received ${describe(nameOrIndex)}`);
    return port;
  }

  named(name: string): Port | undefined {
    return this.list.find((port) => port.name === name || port.names.includes(name));
  }

  #only(): Port {
    if (this.list.length !== 1) throw new RangeError(`${this.#expected()}, received no name and no index`);
    return this.list[0]!;
  }

  #expected(): string {
    return `${this.#kind}: expected one of ${this.list.map(({ name, index }) => `${index} '${name}'`).join(', ')}`;
  }
}
