import { REQUEST_NODE } from '../dag/definition.js';
import type { GraphNode, PipelineGraph } from '../dag/graph.js';
import { ScopeLayout } from '../dag/scope.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { ServingError } from '../errors.js';
import { InlineRun } from './inline-run.js';
import type { NodeUnit } from './node-unit.js';
import type { PlannedNode } from './planned-node.js';
import type { StatefulModel } from './stateful/run-in-sequence.js';

/** A graph with what runs its nodes at this moment: all that an execution must know, worked out before any request. */
export interface Plan {
  readonly graph: PipelineGraph;
  readonly layout: ScopeLayout;
  /** Version that answers; 1 for pipelines without versions. */
  readonly version: number;
  /** Inputs of the servable, sorted by name. */
  readonly inputs: readonly TensorInfo[];
  /** Whether the request itself is split on the first dimension of its inputs. */
  readonly isDemultiplexed: boolean;
  /** Present when it is a stateful model: its requests run in the turns of their sequences. */
  readonly stateful?: StatefulModel;
  /** By node index; `null` for nodes that the engine runs itself. */
  readonly nodes: readonly (PlannedNode | null)[];
  /** The whole of it in one go; `null` when only the engine can run it. */
  readonly inlineRun: InlineRun | null;
  /** The first node that cannot run now, if any. */
  readonly fault: ServingError | null;
}

/** Finds what runs a node, or says with a `ServingError` why there is nothing. */
export type UnitLookup = (node: GraphNode, graph: PipelineGraph) => NodeUnit | ServingError;

/** Binds a graph to the units of one snapshot. */
export function planGraph(graph: PipelineGraph, version: number, lookup: UnitLookup): Plan {
  const inputs = graph.inputs.map((port) => port.info);
  const isDemultiplexed = graph.levels.some(({ demultiplexer }) => demultiplexer === REQUEST_NODE);
  const layout = new ScopeLayout(graph);
  const nodes: (PlannedNode | null)[] = [];
  for (const node of graph.nodes) {
    const planned = node.program.kind === 'select' ? null : planNode(graph, node, lookup);
    if (planned instanceof ServingError) {
      return { graph, layout, version, inputs, isDemultiplexed, nodes: [], inlineRun: null, fault: planned };
    }
    nodes.push(planned);
  }
  const inlineRun = InlineRun.of(graph, version, nodes);
  return { graph, layout, version, inputs, isDemultiplexed, nodes, inlineRun, fault: null };
}

/** A default version may have changed under a pipeline and lost a port; the control plane then revalidates the pipeline. */
function planNode(graph: PipelineGraph, node: GraphNode, lookup: UnitLookup): PlannedNode | ServingError {
  const unit = lookup(node, graph);
  if (unit instanceof ServingError) return unit;
  const inputOfPort = unit.inputs.map((port) => node.inputs.findIndex((input) => input.name === port.info.name));
  const portOfOutput = node.outputs.map((output) => unit.outputs.findIndex((port) => port.info.name === output.name));
  if (inputOfPort.includes(-1) || portOfOutput.includes(-1) || node.inputs.length !== unit.inputs.length) {
    return new ServingError('PIPELINE_NOT_LOADED');
  }
  const requested = new Set(graph.inputs.map((port) => port.value));
  const isRequest = (value: number): boolean => requested.has(value) && graph.values[value]!.level === node.level;
  return {
    unit,
    inputOfPort,
    wanted: unit.outputs.map((_, port) => portOfOutput.includes(port)),
    portOfOutput,
    checkedPorts: inputOfPort.flatMap((input, port) => (isRequest(node.inputs[input]!.value) ? [] : [port])),
  };
}

/** Keeps everything open that a plan runs, nested pipelines included. */
export function holdUnits({ nodes }: Plan): void {
  for (const node of nodes) node?.unit.hold();
}

export function letUnitsGo({ nodes }: Plan): void {
  for (const node of nodes) node?.unit.letGo();
}
