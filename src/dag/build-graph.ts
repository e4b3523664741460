import type { ConditionSettings, PipelineSettings, SourceSettings } from '../config/settings.js';
import { converted } from '../tensors/conversion.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import { checkCondition, type GraphCondition } from './condition.js';
import {
  findPort,
  outputOfAlias,
  REQUEST_NODE,
  shardOf,
  type BoundNode,
  type ServableCatalogue,
} from './definition.js';
import { GraphDraft, type NodeDraft } from './graph-draft.js';
import { byName, type GraphPort, type PipelineGraph } from './graph.js';
import { behind, demultiplyCount, LevelTable, nestings, shardDimension, type Nesting } from './levels.js';
import { demultiplexedInfo, pipelineInputs } from './pipeline-inputs.js';
import { validatePipeline } from './validation.js';

/**
 * Validates a pipeline and freezes it.
 *
 * @throws ServingError PIPELINE_*, NOT_IMPLEMENTED
 */
export function buildPipelineGraph(pipeline: PipelineSettings, servables: ServableCatalogue): PipelineGraph {
  return new GraphBuilder(pipeline, validatePipeline(pipeline, servables)).build();
}

class GraphBuilder {
  readonly #pipeline: PipelineSettings;
  readonly #nodes: readonly BoundNode[];
  readonly #nesting: ReadonlyMap<string, Nesting>;
  readonly #levels: LevelTable;
  readonly #requested: readonly TensorInfo[];
  readonly #draft: GraphDraft;

  constructor(pipeline: PipelineSettings, nodes: readonly BoundNode[]) {
    this.#pipeline = pipeline;
    this.#nodes = nodes;
    this.#nesting = nestings(pipeline);
    this.#levels = new LevelTable(pipeline);
    this.#requested = pipelineInputs(nodes);
    this.#draft = new GraphDraft(
      (node) => this.#levels.of(behind(pipeline, node, this.#nesting.get(node)!)),
      (node, tensor) => this.#shardInfo(node, tensor),
    );
  }

  build(): PipelineGraph {
    const inputs = this.#requested.map((info) => ({
      info: this.#pipeline.demultiplyCount === null ? info : demultiplexedInfo(this.#pipeline, info),
      value: this.#draft.valueOf(REQUEST_NODE, info.name),
    }));
    for (const node of this.#nodes) this.#draft.add(this.#nodeDraft(node));
    const outputs = this.#outputs();
    return {
      name: this.#pipeline.name,
      kind: 'pipeline',
      inputs,
      outputs,
      ...this.#draft.finish(
        outputs,
        this.#pipeline.exitWhen.map((exit) => this.#condition(exit)),
      ),
      levels: this.#levels.levels,
    };
  }

  #nodeDraft({ settings, program }: BoundNode): NodeDraft {
    const { name, demultiplyCount: count, when } = settings;
    const nesting = this.#nesting.get(name)!;
    return {
      name,
      program,
      level: this.#levels.of(nesting),
      opens: count === null ? null : this.#levels.of([...nesting, name]),
      inputs: settings.inputs.map((connection) => ({ name: connection.input, value: this.#valueOf(connection) })),
      condition: when === null ? null : this.#condition(when),
    };
  }

  /** The value behind a reference, converted where it says so. */
  #valueOf({ nodeName, dataItem, conversion }: SourceSettings): number {
    const value = this.#draft.valueOf(nodeName, this.#tensorOf(nodeName, dataItem));
    return conversion === null ? value : this.#draft.convert(value, `${nodeName}.${dataItem}`, conversion);
  }

  #condition({ nodeName, dataItem, element, tests, jsonPath }: ConditionSettings): GraphCondition {
    if (nodeName === REQUEST_NODE) checkCondition(findPort(this.#requested, dataItem)!, element, jsonPath);
    return { value: this.#draft.valueOf(nodeName, this.#tensorOf(nodeName, dataItem)), element, tests };
  }

  #tensorOf(nodeName: string, dataItem: string): string {
    const source = this.#nodes.find(({ settings }) => settings.name === nodeName);
    return source === undefined ? dataItem : outputOfAlias(source.settings, dataItem)!;
  }

  #outputs(): GraphPort[] {
    const ports = this.#pipeline.outputs.map((output) => {
      const source = this.#nodes.find((node) => node.settings.name === output.nodeName)!;
      const info = findPort(source.signature.outputs, this.#tensorOf(output.nodeName, output.dataItem))!;
      const around = this.#nesting.get(output.nodeName)!;
      const gathered = gatheredInfo(this.#pipeline, info, source, around, output);
      return { name: output.output, info: { ...gathered, name: output.output }, value: this.#valueOf(output) };
    });
    return byName(ports).map(({ info, value }) => ({ info, value }));
  }

  /** What the readers of a value see of it in its own level. */
  #shardInfo(node: string, tensor: string): TensorInfo {
    const source = this.#nodes.find(({ settings }) => settings.name === node);
    if (source === undefined) return findPort(this.#requested, tensor)!;
    const info = findPort(source.signature.outputs, tensor)!;
    return demultiplyCount(this.#pipeline, node) === null ? info : shardOf(info);
  }
}

/** What the response shows of a node's output: one leading dimension a demultiplexer around it, outermost first. */
function gatheredInfo(
  pipeline: PipelineSettings,
  info: TensorInfo,
  { settings }: BoundNode,
  around: Nesting,
  { conversion }: SourceSettings,
): TensorInfo {
  const leading = around.map((node) => shardDimension(pipeline, node));
  if (settings.demultiplyCount === -1) leading.push(info.shape[0]!);
  if (settings.demultiplyCount !== null && settings.demultiplyCount !== -1)
    leading.push(shardDimension(pipeline, settings.name));
  const shard = settings.demultiplyCount === null ? info : shardOf(info);
  const result = conversion === null ? shard : converted(shard, conversion);
  return leading.length === 0 ? result : { ...result, shape: [...leading, ...result.shape], layout: '...' };
}
