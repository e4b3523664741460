import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface UnaryModelOptions {
  /** For example `Relu`. */
  readonly type: string;
  /** As the data of a parameter spells it. */
  readonly elementType: string;
  /** As ports spell it. */
  readonly precision: string;
  /** Absent: the output has no name. */
  readonly output?: string;
}

/** A model of one operation of one input `x` of two elements, in types that the fixtures do not write. Returns the path. */
export function writeUnaryModel(directory: string, options: UnaryModelOptions): string {
  const { type, elementType, precision, output } = options;
  const path = join(directory, `${type}-${elementType}-${output ?? 'nameless'}.xml`);
  const port = (id: number, names: string): string =>
    `<port id="${id}" precision="${precision}"${names}><dim>2</dim></port>`;
  const source = port(0, ' names="x"');
  const result = port(1, output === undefined ? '' : ` names="${output}"`);
  const layers = [
    `<layer id="0" name="x" type="Parameter" version="opset1"><data shape="2" element_type="${elementType}"/><output>${source}</output></layer>`,
    `<layer id="1" name="operation" type="${type}" version="opset1"><input>${source}</input><output>${result}</output></layer>`,
    `<layer id="2" name="result" type="Result" version="opset1"><input>${port(0, '')}</input></layer>`,
  ];
  const edges = [
    '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>',
    '<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>',
  ];
  const graph = `<layers>${layers.join('')}</layers><edges>${edges.join('')}</edges>`;
  writeFileSync(path, `<?xml version="1.0"?><net name="unary" version="11">${graph}</net>`);
  writeFileSync(path.replace('.xml', '.bin'), '');
  return path;
}
