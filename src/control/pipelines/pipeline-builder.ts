import { isDeepStrictEqual } from 'node:util';

import type { LoadedConfig, NodeSettings, PipelineSettings } from '../../config/settings.js';
import { buildPipelineGraph } from '../../dag/build-graph.js';
import type { ServableCatalogue } from '../../dag/definition.js';
import type { PipelineGraph } from '../../dag/graph.js';

/** How a definition becomes something to run, and what it depends on. */
export interface PipelineBuilder {
  /**
   * Validates a definition and prepares all that its nodes need.
   *
   * @throws ServingError PIPELINE_*, NOT_IMPLEMENTED and whatever else the definition breaks; nothing is left behind then
   */
  build(pipeline: PipelineSettings, surroundings: Surroundings): Promise<BuiltPipeline>;

  /** The servables whose change asks for a new validation; each once. */
  used(pipeline: PipelineSettings): readonly UsedServable[];

  /** Absolute paths of files the definition names; watched whether or not the last build succeeded. */
  files(pipeline: PipelineSettings): readonly string[];
}

/** What a definition may use: what is there when this pass is committed, and the libraries of the file. */
export interface Surroundings {
  readonly servables: Omit<ServableCatalogue, 'userNodes'>;
  readonly libraries: LoadedConfig['libraries'];
}

export interface BuiltPipeline {
  readonly graph: PipelineGraph;
  /** Absolute paths of further files it was made of; it is built again when one of them changes. */
  readonly files?: readonly string[];
  /** Called once, on the control plane, when no owner worker begins requests on the graph any more. */
  release(): void;
}

export interface UsedServable {
  readonly kind: 'model' | 'pipeline';
  readonly name: string;
  /** `null`: the default version. */
  readonly version: number | null;
}

/** Pipelines without nodes of users' own code: validation is all there is to prepare. */
export const plainPipelineBuilder: PipelineBuilder = {
  async build(pipeline, { servables }) {
    const graph = buildPipelineGraph(pipeline, { ...servables, userNodes: new Map() });
    return Promise.resolve({ graph, release: () => undefined });
  },

  used({ nodes }) {
    const used = nodes.flatMap(usedByNode);
    return used.filter((one, index) => used.findIndex((other) => isDeepStrictEqual(one, other)) === index);
  },

  files: () => [],
};

function usedByNode({ modelName, pipelineName, version }: NodeSettings): UsedServable[] {
  if (modelName !== null) return [{ kind: 'model', name: modelName, version }];
  return pipelineName === null ? [] : [{ kind: 'pipeline', name: pipelineName, version }];
}
