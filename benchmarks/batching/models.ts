import { edge, layer, parameter, port, write } from '../support/model-text.js';

/** A model of the benchmark: one FP32 input and output, each of one row. */
export interface BenchmarkModel {
  readonly name: string;
  readonly inputShape: readonly number[];
  write(directory: string): string;
}

const WIDTH = 1024;
const LAYERS = 3;
const CHANNELS = 32;
const SIDE = 56;

/** Reading the weights costs more than computing with them: a second row costs next to nothing. */
export const DENSE: BenchmarkModel = {
  name: `${LAYERS} dense layers of ${WIDTH}`,
  inputShape: [1, WIDTH],
  write: (directory) => {
    const chain = new Chain([1, WIDTH]);
    for (let step = 1; step <= LAYERS; step += 1) {
      chain.add('MatMul', 'transpose_a="false" transpose_b="false"', [1, WIDTH], {
        shape: [WIDTH, WIDTH],
        scale: 0.06,
      });
      chain.add('Tanh', '', [1, WIDTH]);
    }
    return chain.write(directory, 'dense');
  },
};

/** The network computes for each row anew, so that a batch saves little more than the way to it. */
export const CONVOLUTION: BenchmarkModel = {
  name: `${LAYERS} convolutions of ${CHANNELS}x${SIDE}x${SIDE}`,
  inputShape: [1, 3, SIDE, SIDE],
  write: (directory) => {
    const chain = new Chain([1, 3, SIDE, SIDE]);
    const shape = [1, CHANNELS, SIDE, SIDE];
    const windows = 'strides="1,1" dilations="1,1" pads_begin="1,1" pads_end="1,1" auto_pad="explicit"';
    for (let step = 1; step <= LAYERS; step += 1) {
      const channels = step === 1 ? 3 : CHANNELS;
      chain.add('Convolution', windows, shape, { shape: [CHANNELS, channels, 3, 3], scale: 0.2 });
      chain.add('ReLU', '', shape);
    }
    return chain.write(directory, 'convolution');
  },
};

/** Layers one behind the other, with invented weights. */
class Chain {
  readonly #layers: string[];
  readonly #edges: string[] = [];
  readonly #weights: Float32Array[] = [];
  #bytes = 0;
  #shape: readonly number[];
  #last = 0;

  constructor(shape: readonly number[]) {
    this.#layers = [parameter(0, 'b', shape)];
    this.#shape = shape;
  }

  add(
    type: string,
    attributes: string,
    shape: readonly number[],
    weights?: { readonly shape: readonly number[]; readonly scale: number },
  ): void {
    const constant = weights === undefined ? null : this.#constant(weights.shape, weights.scale);
    const id = this.#layers.length;
    const inputs = [port(0, 'FP32', this.#shape)];
    this.#edges.push(edge(this.#last, this.#last === 0 ? 0 : 2, id, 0));
    if (constant !== null) {
      inputs.push(port(1, 'FP32', weights!.shape));
      this.#edges.push(edge(constant, 0, id, 1));
    }
    const data = attributes === '' ? '' : `<data ${attributes}/>`;
    this.#layers.push(layer(id, type, data, inputs, [port(2, 'FP32', shape, `tensor_${id}`)]));
    this.#shape = shape;
    this.#last = id;
  }

  write(directory: string, name: string): string {
    const id = this.#layers.length;
    this.#layers.push(layer(id, 'Result', '', [port(0, 'FP32', this.#shape)], []));
    this.#edges.push(edge(this.#last, 2, id, 0));
    return write(directory, name, this.#layers, this.#edges, joined(this.#weights));
  }

  #constant(shape: readonly number[], scale: number): number {
    const count = shape.reduce((product, size) => product * size, 1);
    const seed = this.#weights.length + 1;
    const weights = Float32Array.from({ length: count }, (_, index) => scale * Math.sin(index * 7.3 + seed));
    const id = this.#layers.length;
    const place = `offset="${this.#bytes}" size="${weights.byteLength}"`;
    const data = `<data element_type="f32" shape="${shape.join(',')}" ${place}/>`;
    this.#layers.push(layer(id, 'Const', data, [], [port(0, 'FP32', shape)]));
    this.#weights.push(weights);
    this.#bytes += weights.byteLength;
    return id;
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}
