/** Bytes of a `.npy` file. */
export function npyBytes(
  descr: string,
  shape: readonly number[],
  data: Uint8Array,
  options: { readonly version?: number; readonly fortran?: boolean } = {},
): Buffer {
  const version = options.version ?? 1;
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const fortran = options.fortran === true ? 'True' : 'False';
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (${sizes}), }`;
  const lengthBytes = version === 1 ? 2 : 4;
  const used = 8 + lengthBytes + text.length + 1;
  const header = `${text}${' '.repeat((64 - (used % 64)) % 64)}\n`;
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntLE(header.length, 0, lengthBytes);
  return Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([version, 0]),
    length,
    Buffer.from(header),
    data,
  ]);
}

export function floats(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
