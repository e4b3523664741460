import type { LoadedConfig, PipelineSettings } from '../../config/settings.js';
import { buildPipelineGraph } from '../../dag/build-graph.js';
import type { ModelCatalogue } from '../../dag/definition.js';
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

/** The models of this pass, those that end with it left out, and the libraries of the file. */
export interface Surroundings {
  readonly models: ModelCatalogue;
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
  readonly name: string;
  /** `null`: the default version. */
  readonly version: number | null;
}

/** Pipelines of DL model nodes: validation is all there is to prepare. */
export const modelPipelineBuilder: PipelineBuilder = {
  async build(pipeline, { models }) {
    return Promise.resolve({ graph: buildPipelineGraph(pipeline, models), release: () => undefined });
  },

  used({ nodes }) {
    const used = new Map<string, UsedServable>();
    for (const { modelName: name, version } of nodes) {
      if (name !== null) used.set(`${version ?? 0}/${name}`, { name, version });
    }
    return [...used.values()];
  },

  files: () => [],
};
