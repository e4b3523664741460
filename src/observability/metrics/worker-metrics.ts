import { BatchMetrics } from './batch-metrics.js';
import { BLOCK_SLOTS, type MetricsBlock } from './block.js';
import { NodeMetrics } from './node-metrics.js';
import { ModelMetrics, ServableMetrics } from './servable-metrics.js';

/** As much of a pipeline's graph as its nodes' metrics need. */
interface NamedGraph {
  readonly name: string;
  readonly nodes: readonly { readonly name: string }[];
}

/**
 * All that one owner worker counts, by servable. It learns of a servable by the blocks that come with the snapshot that first names
 * it, so that every series is there from then on. What is not in a block, because there is no control plane, is counted for nobody.
 */
export class WorkerMetrics {
  readonly #models = new Map<string, Map<number, ModelMetrics>>();
  readonly #batches = new Map<string, Map<number, BatchMetrics>>();
  readonly #pipelines = new Map<string, Map<number, ServableMetrics>>();
  /** By pipeline and version, then by node. */
  readonly #nodes = new Map<string, Map<string, NodeMetrics>>();
  readonly #graphs = new WeakMap<NamedGraph, readonly NodeMetrics[]>();

  adopt(blocks: readonly MetricsBlock[]): void {
    for (const { subject, numbers } of blocks) {
      if (subject.kind === 'model') inner(this.#models, subject.name).set(subject.version, new ModelMetrics(numbers));
      else if (subject.kind === 'batching')
        inner(this.#batches, subject.name).set(subject.version, new BatchMetrics(numbers));
      else if (subject.kind === 'pipeline')
        inner(this.#pipelines, subject.name).set(subject.version, new ServableMetrics(numbers));
      else if (subject.kind === 'node')
        inner(this.#nodes, pipelineKey(subject.pipeline, subject.version)).set(subject.node, new NodeMetrics(numbers));
    }
  }

  /** Of the model version or else the pipeline of that name, when there is one. */
  servable(name: string, version: number): ServableMetrics | undefined {
    return this.#models.get(name)?.get(version) ?? this.#pipelines.get(name)?.get(version);
  }

  model(name: string, version: number): ModelMetrics {
    return orAdd(inner(this.#models, name), version, () => ModelMetrics.detached());
  }

  batches(name: string, version: number): BatchMetrics {
    return orAdd(inner(this.#batches, name), version, () => BatchMetrics.detached());
  }

  /** Of the nodes of a pipeline's graph, in their order; looked up by name once a graph. */
  nodes(graph: NamedGraph, version: number): readonly NodeMetrics[] {
    let found = this.#graphs.get(graph);
    if (found === undefined) {
      const known = inner(this.#nodes, pipelineKey(graph.name, version));
      const detached = (): NodeMetrics => new NodeMetrics(new Float64Array(BLOCK_SLOTS.node));
      this.#graphs.set(graph, (found = graph.nodes.map(({ name }) => orAdd(known, name, detached))));
    }
    return found;
  }
}

function pipelineKey(name: string, version: number): string {
  return `${version}/${name}`;
}

function inner<K, V>(maps: Map<string, Map<K, V>>, name: string): Map<K, V> {
  return orAdd(maps, name, () => new Map<K, V>());
}

function orAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
