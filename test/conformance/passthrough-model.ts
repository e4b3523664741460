import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The precisions of {@link writePassthroughModel}, as errors spell them. */
export const PASSTHROUGH_PRECISIONS = [
  'FP64',
  'FP32',
  'FP16',
  'I64',
  'I32',
  'I16',
  'I8',
  'U64',
  'U32',
  'U16',
  'U8',
  'BOOL',
] as const;

export type PassthroughPrecision = (typeof PASSTHROUGH_PRECISIONS)[number];

/** Writes the model `out = in` of one precision, [-1,-1], as `<directory>/model.{xml,bin}`. */
export function writePassthroughModel(directory: string, precision: PassthroughPrecision | 'BF16'): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'model.xml'), passthroughXml(precision));
  writeFileSync(join(directory, 'model.bin'), new Uint8Array(BigInt64Array.of(0n, 0n).buffer));
}

/** A reshape to [0,0], which means each size as it is: an operation that every precision has and that changes nothing. */
function passthroughXml(precision: PassthroughPrecision | 'BF16'): string {
  const elementType = precision === 'BOOL' ? 'boolean' : precision.toLowerCase().replace('fp', 'f');
  const port = (id: number, names: string): string =>
    `<port id="${id}" precision="${precision}"${names}><dim>-1</dim><dim>-1</dim></port>`;
  return `<?xml version="1.0"?>
<net name="passthrough" version="11">
<layers>
<layer id="0" name="in" type="Parameter" version="opset1"><data shape="-1,-1" element_type="${elementType}"/>
<output>${port(0, ' names="in"')}</output></layer>
<layer id="1" name="sizes" type="Const" version="opset1"><data element_type="i64" shape="2" offset="0" size="16"/>
<output><port id="0" precision="I64"><dim>2</dim></port></output></layer>
<layer id="2" name="same" type="Reshape" version="opset1"><data special_zero="true"/>
<input>${port(0, '')}<port id="1" precision="I64"><dim>2</dim></port></input>
<output>${port(2, ' names="out"')}</output></layer>
<layer id="3" name="result" type="Result" version="opset1"><input>${port(0, '')}</input></layer>
</layers>
<edges>
<edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
<edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
<edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
</edges>
<rt_info/>
</net>
`;
}
