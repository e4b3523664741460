import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `a = b + 1` over f32 [1,10]. @returns the path of the `.xml` file */
export function writeAddModel(directory: string): string {
  const shape = [1, 10];
  const layers = [
    parameter(0, 'b', shape),
    constant(1, 'f32', [1, 1], Float32Array.BYTES_PER_ELEMENT),
    layer(
      2,
      'Add',
      '<data auto_broadcast="numpy"/>',
      [port(0, 'FP32', shape), port(1, 'FP32', [1, 1])],
      [port(2, 'FP32', shape, 'a')],
    ),
    layer(3, 'Result', '', [port(0, 'FP32', shape)], []),
  ];
  return write(directory, 'add', layers, [edge(0, 0, 2, 0), edge(1, 0, 2, 1), edge(2, 2, 3, 0)], Float32Array.of(1));
}

/** `largest = max(image)` over f32 [1,224,224,3]: a large request for a network that costs next to nothing. */
export function writeLargestModel(directory: string): string {
  const shape = [1, 224, 224, 3];
  const axes = BigInt64Array.of(1n, 2n, 3n);
  const layers = [
    parameter(0, 'image', shape),
    constant(1, 'i64', [axes.length], axes.byteLength),
    layer(
      2,
      'ReduceMax',
      '<data keep_dims="false"/>',
      [port(0, 'FP32', shape), port(1, 'I64', [axes.length])],
      [port(2, 'FP32', [1], 'largest')],
    ),
    layer(3, 'Result', '', [port(0, 'FP32', [1])], []),
  ];
  return write(directory, 'largest', layers, [edge(0, 0, 2, 0), edge(1, 0, 2, 1), edge(2, 2, 3, 0)], axes);
}

export function parameter(id: number, name: string, shape: readonly number[]): string {
  const data = `<data shape="${shape.join(',')}" element_type="f32"/>`;
  return layer(id, 'Parameter', data, [], [port(0, 'FP32', shape, name)]);
}

/** The first bytes of the weights. */
function constant(id: number, type: 'f32' | 'i64', shape: readonly number[], bytes: number): string {
  const data = `<data element_type="${type}" shape="${shape.join(',')}" offset="0" size="${bytes}"/>`;
  return layer(id, 'Const', data, [], [port(0, type === 'f32' ? 'FP32' : 'I64', shape)]);
}

export function layer(
  id: number,
  type: string,
  data: string,
  inputs: readonly string[],
  outputs: readonly string[],
): string {
  const ports = (tag: string, list: readonly string[]): string =>
    list.length === 0 ? '' : `<${tag}>${list.join('')}</${tag}>`;
  const body = `${data}${ports('input', inputs)}${ports('output', outputs)}`;
  return `<layer id="${id}" name="${type}_${id}" type="${type}" version="opset1">${body}</layer>`;
}

export function port(id: number, precision: string, shape: readonly number[], name?: string): string {
  const named = name === undefined ? '' : ` names="${name}"`;
  return `<port id="${id}" precision="${precision}"${named}>${shape.map((size) => `<dim>${size}</dim>`).join('')}</port>`;
}

export function edge(fromLayer: number, fromPort: number, toLayer: number, toPort: number): string {
  return `<edge from-layer="${fromLayer}" from-port="${fromPort}" to-layer="${toLayer}" to-port="${toPort}"/>`;
}

export function write(
  directory: string,
  name: string,
  layers: readonly string[],
  edges: readonly string[],
  weights: ArrayBufferView,
): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${name}.xml`);
  const body = `<layers>${layers.join('')}</layers><edges>${edges.join('')}</edges>`;
  writeFileSync(file, `<?xml version="1.0"?>\n<net name="${name}" version="11">${body}</net>\n`);
  writeFileSync(join(directory, `${name}.bin`), new Uint8Array(weights.buffer));
  return file;
}
