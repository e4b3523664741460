import type { NodeInputSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { beforeConversion } from '../tensors/conversion.js';
import { formatPartialShape, type Dimension, type PartialShape } from '../tensors/shape.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { findPort, REQUEST_NODE, shardOf, type BoundNode } from './definition.js';
import { byName } from './graph.js';
import { shardDimension } from './levels.js';

/** Metadata of the pipeline's inputs: what all their readers accept. Inputs nobody reads are left out (as OVMS 2026.2.1). */
export function pipelineInputs(nodes: readonly BoundNode[]): TensorInfo[] {
  const inputs = new Map<string, TensorInfo>();
  for (const node of nodes) {
    for (const connection of node.settings.inputs) {
      if (connection.nodeName !== REQUEST_NODE) continue;
      const reader = readerInfo(node, connection);
      const other = inputs.get(connection.dataItem);
      inputs.set(connection.dataItem, {
        ...(other === undefined ? reader : intersect(other, reader, connection.jsonPath)),
        name: connection.dataItem,
      });
    }
  }
  return byName([...inputs.values()]);
}

/** What a node asks of the request: of each shard where it gathers them, and before a conversion. */
function readerInfo({ settings, signature }: BoundNode, { input, conversion }: NodeInputSettings): TensorInfo {
  const port = findPort(signature.inputs, input)!;
  const shard = settings.gatherFromNode === null ? port : shardOf(port);
  return conversion === null ? shard : beforeConversion(shard, conversion);
}

/** A demultiplexing request takes one more dimension in front, which is the batch now (as OVMS 2026.2.1: NHWC becomes N?HWC). */
export function demultiplexedInfo(pipeline: PipelineSettings, info: TensorInfo): TensorInfo {
  const shape = [shardDimension(pipeline, REQUEST_NODE), ...info.shape];
  return { ...info, shape, layout: `N${info.layout.replace('N', '?')}` };
}

function intersect(a: TensorInfo, b: TensorInfo, path: string): TensorInfo {
  const shape = intersectShapes(a.shape, b.shape);
  const layout = intersectLayouts(a.layout, b.layout);
  if (shape === undefined || layout === undefined || a.precision !== b.precision) {
    throw new ServingError('PIPELINE_INPUTS_DIFFER', `${describe(a)} and ${describe(b)} at ${path}`);
  }
  return { ...a, shape, layout };
}

function intersectShapes(a: PartialShape, b: PartialShape): Dimension[] | undefined {
  if (a.length !== b.length) return undefined;
  const shape = a.map((size, axis) => ({
    min: Math.max(size.min, b[axis]!.min),
    max: Math.min(size.max, b[axis]!.max),
  }));
  return shape.every(({ min, max }) => min <= max) ? shape : undefined;
}

/** `N...` says no more than where the batch is, so a full layout with its `N` there wins (as OVMS 2026.2.1). */
function intersectLayouts(a: string, b: string): string | undefined {
  if (a === b || isVague(b, a)) return a;
  return isVague(a, b) ? b : undefined;
}

function isVague(vague: string, full: string): boolean {
  return vague === '...' || (vague === 'N...' && full.startsWith('N'));
}

function describe(info: TensorInfo): string {
  return `${info.precision} ${formatPartialShape(info.shape)} ${info.layout}`;
}
