/** What Vinery gives to, and takes from, the functions of a node module. */

/** One input or output as the node announces it; -1 where the size is known only at run time. */
export interface Port {
  readonly name: string;
  readonly precision: 'FP32' | 'U8';
  readonly shape: readonly number[];
}

/** A tensor in the server's memory, valid until `execute` has returned; inputs must not be written. */
export interface NodeTensor<Data extends Float32Array | Uint8Array> {
  readonly name: string;
  readonly precision: string;
  readonly shape: readonly number[];
  readonly data: Data;
}

/** An output's memory, for the node to fill. */
export interface Allocated {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint8Array;
}

export interface Context<State> {
  readonly params: unknown;
  readonly state: State;
  allocate(output: string, shape: readonly number[]): Allocated;
}
