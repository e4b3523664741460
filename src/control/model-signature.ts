import { ServingError } from '../errors.js';
import type { ModelDescription, PortDescription } from '../native/binding.js';
import type { ModelMapping } from '../servables/model-mapping.js';
import { precisionOfElementType } from '../tensors/precision.js';
import type { TensorInfo } from '../tensors/tensor-info.js';

/** Ports of a compiled model by the names clients use, in the model's port order. */
export interface ServedPorts {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/**
 * Applies a mapping to a compiled model. Tensors without an entry keep their own name: the first of those that no port before has, so that
 * two outputs of one tensor each get one of its names. A nameless input is called `in_<index>`, a nameless output `out_<index>`
 * (as OVMS 2026.2.1).
 *
 * @throws ServingError MODEL_MAPPING_INVALID when two ports end up with the same name or the mapping names a tensor that is not
 * there; UNSUPPORTED_DESERIALIZATION_PRECISION for element types that no client can send
 */
export function servedPorts({ inputs, outputs }: ModelDescription, mapping: ModelMapping): ServedPorts {
  checkMapped(inputs, mapping.inputs, 'inputs');
  checkMapped(outputs, mapping.outputs, 'outputs');
  return {
    inputs: checkUnique(tensorInfos(inputs, 'in', mapping.inputs)),
    outputs: checkUnique(tensorInfos(outputs, 'out', mapping.outputs)),
  };
}

function tensorInfos(
  ports: readonly PortDescription[],
  kind: 'in' | 'out',
  mapped: ReadonlyMap<string, string>,
): TensorInfo[] {
  const taken = new Set<string>();
  return ports.map((port, index) => {
    const free = port.names.filter((name) => !taken.has(name));
    const names = free.length > 0 ? free : port.names;
    const own = names.find((name) => mapped.has(name)) ?? names[0] ?? `${kind}_${index}`;
    taken.add(own);
    return tensorInfo(port, own, mapped.get(own) ?? own);
  });
}

function tensorInfo(port: PortDescription, own: string, name: string): TensorInfo {
  const precision = precisionOfElementType(port.elementType);
  if (precision === undefined) {
    throw new ServingError('UNSUPPORTED_DESERIALIZATION_PRECISION', `${port.elementType} of tensor ${own}`);
  }
  if (port.dimensions === null) throw new ServingError('NOT_IMPLEMENTED', `tensor ${own} has no fixed rank`);
  return {
    name,
    precision,
    shape: port.dimensions.map(([min, max]) => ({ min, max: max === -1 ? Infinity : max })),
    layout: port.layout !== '' ? port.layout : port.dimensions.length === 0 ? '...' : 'N...',
  };
}

function checkMapped(ports: readonly PortDescription[], mapped: ReadonlyMap<string, string>, key: string): void {
  const names = new Set(ports.flatMap((port) => port.names));
  for (const tensor of mapped.keys()) {
    if (names.has(tensor)) continue;
    const expected = [...names].sort().join(', ');
    throw new ServingError(
      'MODEL_MAPPING_INVALID',
      `/${key}: expected one of the tensors ${expected}, received ${tensor}`,
    );
  }
}

function checkUnique(ports: readonly TensorInfo[]): readonly TensorInfo[] {
  const names = new Set<string>();
  for (const { name } of ports) {
    if (names.has(name)) throw new ServingError('MODEL_MAPPING_INVALID', `two tensors of the model are called ${name}`);
    names.add(name);
  }
  return ports;
}
