import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface UnaryModelOptions {
  /** For example `Relu`. */
  readonly type: string;
  /** As the data of a parameter spells it. */
  readonly elementType: string;
  /** As ports spell it. */
  readonly precision: string;
  /** The operation once for each output; `null` gives it no name. */
  readonly outputs: readonly (string | null)[];
}

/** A model whose outputs each are one operation on the input `x` of two elements. Returns the path. */
export function writeUnaryModel(directory: string, options: UnaryModelOptions): string {
  const { type, elementType, precision, outputs } = options;
  const path = join(directory, `${type}-${elementType}-${outputs.join('-')}.xml`);
  const port = (id: number, name: string | null): string =>
    `<port id="${id}" precision="${precision}"${name === null ? '' : ` names="${name}"`}><dim>2</dim></port>`;
  const parameter = `<data shape="2" element_type="${elementType}"/><output>${port(0, 'x')}</output>`;
  const layers = [`<layer id="0" name="x" type="Parameter" version="opset1">${parameter}</layer>`];
  const edges: string[] = [];
  const edge = (from: number, fromPort: number, to: number): void => {
    edges.push(`<edge from-layer="${from}" from-port="${fromPort}" to-layer="${to}" to-port="0"/>`);
  };
  for (const [index, name] of outputs.entries()) {
    const [operation, result] = [1 + 2 * index, 2 + 2 * index];
    const ports = `<input>${port(0, null)}</input><output>${port(1, name)}</output>`;
    layers.push(`<layer id="${operation}" name="o${index}" type="${type}" version="opset1">${ports}</layer>`);
    layers.push(
      `<layer id="${result}" name="r${index}" type="Result" version="opset1"><input>${port(0, null)}</input></layer>`,
    );
    edge(0, 0, operation);
    edge(operation, 1, result);
  }
  const graph = `<layers>${layers.join('')}</layers><edges>${edges.join('')}</edges>`;
  writeFileSync(path, `<?xml version="1.0"?><net name="unary" version="11">${graph}</net>`);
  writeFileSync(path.replace('.xml', '.bin'), '');
  return path;
}
