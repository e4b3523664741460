import type { GraphNode, PipelineGraph } from '../dag/graph.js';
import { ScopeLayout } from '../dag/scope.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { ServingError } from '../errors.js';
import type { ModelRuntime } from './model-runtime.js';

/** A graph with the models of this moment behind its nodes: all that an execution must know, worked out before any request. */
export interface Plan {
  readonly graph: PipelineGraph;
  readonly layout: ScopeLayout;
  /** Version that answers; 1 for pipelines. */
  readonly version: number;
  /** Inputs of the servable, sorted by name. */
  readonly inputs: readonly TensorInfo[];
  readonly nodes: readonly PlannedNode[];
  /** The first node whose model cannot be asked now, if any. */
  readonly fault: ServingError | null;
}

/** Where the tensors of a node go among the ports of its model. */
export interface PlannedNode {
  readonly runtime: ModelRuntime;
  /** For each input port of the model, the index of the node input that feeds it. */
  readonly inputOfPort: readonly number[];
  /** For each output port, the index of the node output that reads it, or -1 when nobody does. */
  readonly outputOfPort: readonly number[];
  /** For each node output, its output port. */
  readonly portOfOutput: readonly number[];
  /**
   * Input ports that are fed by other nodes. Their tensors are compared with the port at each execution: a source may be dynamic,
   * and a default version may have changed since the pipeline was validated. Requests were compared before they were admitted.
   */
  readonly checkedPorts: readonly number[];
}

/** Finds the runtime of a node, or says with a `ServingError` why there is none. */
export type RuntimeLookup = (modelName: string, version: number | null) => ModelRuntime | ServingError;

/** Binds a graph to the models of one snapshot. */
export function planGraph(graph: PipelineGraph, version: number, lookup: RuntimeLookup): Plan {
  const inputs = graph.inputs.map((port) => port.info);
  const layout = new ScopeLayout(graph);
  const nodes: PlannedNode[] = [];
  for (const node of graph.nodes) {
    const runtime = lookup(node.modelName, node.version);
    const planned = runtime instanceof ServingError ? runtime : planNode(graph, node, runtime);
    if (planned instanceof ServingError) return { graph, layout, version, inputs, nodes: [], fault: planned };
    nodes.push(planned);
  }
  return { graph, layout, version, inputs, nodes, fault: null };
}

/** A default version may have changed under a pipeline and lost a port; the control plane then revalidates the pipeline. */
function planNode(graph: PipelineGraph, node: GraphNode, runtime: ModelRuntime): PlannedNode | ServingError {
  const inputOfPort = runtime.inputs.map((port) => node.inputs.findIndex((input) => input.name === port.info.name));
  const portOfOutput = node.outputs.map((output) =>
    runtime.outputs.findIndex((port) => port.info.name === output.name),
  );
  if (inputOfPort.includes(-1) || portOfOutput.includes(-1) || node.inputs.length !== runtime.inputs.length) {
    return new ServingError('PIPELINE_NOT_LOADED');
  }
  const fromRequest = new Set(graph.inputs.map((port) => port.value));
  return {
    runtime,
    inputOfPort,
    outputOfPort: runtime.outputs.map((_, port) => portOfOutput.indexOf(port)),
    portOfOutput,
    checkedPorts: inputOfPort.flatMap((input, port) => (fromRequest.has(node.inputs[input]!.value) ? [] : [port])),
  };
}
