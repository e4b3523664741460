import type { OnEmpty } from '../config/schema.js';
import type { ConditionSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { ANY_DIMENSION, staticDimension, type Dimension } from '../tensors/shape.js';
import { REQUEST_NODE } from './definition.js';
import { ROOT_LEVEL, type GraphLevel } from './graph.js';

/** The demultiplexers around a node, outermost first, by node name. */
export type Nesting = readonly string[];

/** Shards a demultiplexer makes: -1 as many as the first dimension says, `null` when the node is no demultiplexer. */
export function demultiplyCount(pipeline: PipelineSettings, node: string): number | null {
  if (node === REQUEST_NODE) return pipeline.demultiplyCount;
  return pipeline.nodes.find((candidate) => candidate.name === node)?.demultiplyCount ?? null;
}

function onEmpty(pipeline: PipelineSettings, node: string): OnEmpty | undefined {
  if (node === REQUEST_NODE) return pipeline.onEmpty;
  return pipeline.nodes.find((candidate) => candidate.name === node)?.onEmpty;
}

/** The leading dimension that gathering a demultiplexer's shards gives. */
export function shardDimension(pipeline: PipelineSettings, node: string): Dimension {
  const count = demultiplyCount(pipeline, node) ?? -1;
  return count === -1 ? ANY_DIMENSION : staticDimension(count);
}

/**
 * Finds for every node the demultiplexers it runs inside of. Demultiplexers and gathers must nest like brackets on every path, and
 * all inputs of a node must come from the same depth (as OVMS 2026.2.1). The pipeline has no cycle.
 *
 * @throws ServingError PIPELINE_DEMULTIPLEXER_ORDER
 */
export function nestings(pipeline: PipelineSettings): ReadonlyMap<string, Nesting> {
  const found = new Map<string, Nesting>([[REQUEST_NODE, []]]);
  const visit = (name: string): Nesting => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const node = pipeline.nodes.find((candidate) => candidate.name === name)!;
    const sources = node.inputs.map((input) => behind(pipeline, input.nodeName, visit(input.nodeName)));
    const [around = []] = sources;
    for (const [index, source] of sources.entries()) {
      if (source.join('\n') !== around.join('\n')) {
        throw orderFault(
          `inputs from inside [${around.join(', ')}] and [${source.join(', ')}] at ${node.inputs[index]!.jsonPath}`,
        );
      }
    }
    const nesting = gathered(around, node.gatherFromNode, `${node.jsonPath}/gather_from_node`);
    if (node.when !== null)
      checkConditionDepth(behind(pipeline, node.when.nodeName, visit(node.when.nodeName)), nesting, node.when);
    found.set(name, nesting);
    return nesting;
  };
  for (const node of pipeline.nodes) visit(node.name);
  return found;
}

/** A node is asked to run or not in each of its shards, so the answer must be one of that shard. */
function checkConditionDepth(source: Nesting, nesting: Nesting, { jsonPath }: ConditionSettings): void {
  if (source.join('\n') === nesting.join('\n')) return;
  throw orderFault(
    `expected a condition on a tensor from inside [${nesting.join(', ')}], received one from inside [${source.join(', ')}] at ${jsonPath}`,
  );
}

/** Where the outputs of a node are: one level deeper than the node when it demultiplexes. */
export function behind(pipeline: PipelineSettings, node: string, nesting: Nesting): Nesting {
  return demultiplyCount(pipeline, node) === null ? nesting : [...nesting, node];
}

function gathered(around: Nesting, from: string | null, path: string): Nesting {
  if (from === null) return around;
  if (around.at(-1) === from) return around.slice(0, -1);
  throw orderFault(`expected to gather from ${around.at(-1) ?? 'no demultiplexer'}, received ${from} at ${path}`);
}

function orderFault(detail: string): ServingError {
  return new ServingError('PIPELINE_DEMULTIPLEXER_ORDER', detail);
}

/** Numbers the levels of a graph: parents first, one a demultiplexer. */
export class LevelTable {
  readonly levels: GraphLevel[] = [ROOT_LEVEL];
  readonly #pipeline: PipelineSettings;
  readonly #indices = new Map<string, number>();

  constructor(pipeline: PipelineSettings) {
    this.#pipeline = pipeline;
  }

  of(nesting: Nesting): number {
    const demultiplexer = nesting.at(-1);
    if (demultiplexer === undefined) return 0;
    const known = this.#indices.get(demultiplexer);
    if (known !== undefined) return known;
    const parent = this.of(nesting.slice(0, -1));
    const count = demultiplyCount(this.#pipeline, demultiplexer) ?? -1;
    const allowsEmpty = onEmpty(this.#pipeline, demultiplexer) === 'empty';
    const index = this.levels.push({ demultiplexer, parent, count, allowsEmpty }) - 1;
    this.#indices.set(demultiplexer, index);
    return index;
  }
}
