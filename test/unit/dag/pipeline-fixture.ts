import type { NodeSettings, PipelineSettings } from '#src/config/settings.js';
import type { ModelSignature, ServableCatalogue } from '#src/dag/definition.js';
import type { Precision } from '#src/tensors/precision.js';
import { ANY_DIMENSION, staticDimension, type Dimension } from '#src/tensors/shape.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';

export interface TensorOptions {
  readonly precision?: Precision;
  /** A number is a fixed size, -1 any, a pair a range. */
  readonly shape?: readonly (number | readonly [number, number])[];
  readonly layout?: string;
}

export function tensor(
  name: string,
  { precision = 'FP32', shape = [1, 10], layout = 'N...' }: TensorOptions = {},
): TensorInfo {
  return { name, precision, layout, shape: shape.map(dimension) };
}

function dimension(size: number | readonly [number, number]): Dimension {
  if (typeof size !== 'number') return { min: size[0], max: size[1] };
  return size === -1 ? ANY_DIMENSION : staticDimension(size);
}

/** FP32 [1,10] `b` -> `a`. */
export const DUMMY: ModelSignature = { inputs: [tensor('b')], outputs: [tensor('a')] };
/** FP32 [1,10] `left`, `right` -> `sum`. */
export const SUM: ModelSignature = { inputs: [tensor('left'), tensor('right')], outputs: [tensor('sum')] };

/** Models by name, every version the same. */
export function catalogue(
  models: Readonly<Record<string, ModelSignature>>,
  more: Partial<ServableCatalogue> = {},
): ServableCatalogue {
  return {
    isModelName: (name) => name in models,
    signature: (name) => models[name],
    pipeline: () => undefined,
    userNodes: new Map(),
    ...more,
  };
}

/** `[node, data item]`: where something comes from. */
export type Source = readonly [string, string];

export function node(
  name: string,
  modelName: string,
  inputs: Readonly<Record<string, Source>> | readonly (readonly [string, ...Source])[],
  outputs: Readonly<Record<string, string>> = { a: 'a' },
): NodeSettings {
  const connections = isList(inputs)
    ? inputs
    : Object.entries(inputs).map(([input, source]) => [input, ...source] as const);
  return {
    name,
    jsonPath: `/node/${name}`,
    type: 'DL model',
    modelName,
    version: null,
    libraryName: null,
    module: null,
    timeoutMs: 10_000,
    pipelineName: null,
    params: {},
    when: null,
    inputs: connections.map(([input, nodeName, dataItem]) => ({
      input,
      nodeName,
      dataItem,
      conversion: null,
      jsonPath: `/node/${name}/${input}`,
    })),
    outputs: Object.entries(outputs).map(([dataItem, alias]) => ({
      dataItem,
      alias,
      jsonPath: `/node/${name}/${dataItem}`,
    })),
    demultiplyCount: null,
    onEmpty: 'error',
    gatherFromNode: null,
  };
}

function isList(inputs: object): inputs is readonly (readonly [string, ...Source])[] {
  return Array.isArray(inputs);
}

export function pipeline(
  nodes: readonly NodeSettings[],
  outputs: Readonly<Record<string, Source>>,
  inputs: readonly string[] = ['image'],
): PipelineSettings {
  return {
    name: 'pipeline',
    jsonPath: '/pipeline_config_list/0',
    inputs,
    nodes,
    outputs: Object.entries(outputs).map(([output, [nodeName, dataItem]]) => ({
      output,
      nodeName,
      dataItem,
      conversion: null,
      jsonPath: `/outputs/${output}`,
    })),
    demultiplyCount: null,
    onEmpty: 'error',
    version: null,
    exitWhen: [],
    warmUpRequests: null,
  };
}
