import { isInvalid, type LibrarySettings, type NodeSettings, type PipelineSettings } from '../../config/settings.js';
import { buildPipelineGraph } from '../../dag/build-graph.js';
import type { UserNode } from '../../dag/definition.js';
import { ServingError } from '../../errors.js';
import type { CustomNodeFactory } from '../../nodes/custom/custom-node-factory.js';
import { describeJsNode } from '../../nodes/js/describe.js';
import type { UserNodeReference } from '../../nodes/user-node-reference.js';
import {
  plainPipelineBuilder,
  type BuiltPipeline,
  type PipelineBuilder,
  type Surroundings,
  type UsedServable,
} from './pipeline-builder.js';
import { titleOf } from './pipeline-definition.js';

interface OpenedNode {
  readonly reference: UserNodeReference;
  readonly files: readonly string[];
  release(): void;
}

/** Builds pipelines with nodes of users' own code: opens those first, because only they know their signatures (as OVMS 2026.2.1). */
export class UserCodePipelineBuilder implements PipelineBuilder {
  readonly #libraries: CustomNodeFactory;

  constructor(libraries: CustomNodeFactory) {
    this.#libraries = libraries;
  }

  async build(pipeline: PipelineSettings, surroundings: Surroundings): Promise<BuiltPipeline> {
    const opened = new Map<string, OpenedNode>();
    const release = (): void => opened.forEach((node) => node.release());
    try {
      for (const node of pipeline.nodes) {
        const found = await this.#open(pipeline, node, surroundings);
        if (found !== null) opened.set(node.name, found);
      }
      const userNodes = new Map([...opened].map(([name, { reference }]) => [name, toUserNode(reference)]));
      const graph = buildPipelineGraph(pipeline, { ...surroundings.servables, userNodes });
      return { graph, files: [...opened.values()].flatMap(({ files }) => files), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  used(pipeline: PipelineSettings): readonly UsedServable[] {
    return plainPipelineBuilder.used(pipeline);
  }

  files({ nodes }: PipelineSettings): readonly string[] {
    return nodes.flatMap(({ module }) => module ?? []);
  }

  async #open(pipeline: PipelineSettings, node: NodeSettings, surroundings: Surroundings): Promise<OpenedNode | null> {
    try {
      if (node.type === 'custom') return await this.#openLibrary(pipeline, node, surroundings);
      return node.type === 'js' ? await openModule(pipeline, node) : null;
    } catch (error) {
      if (!(error instanceof ServingError)) throw error;
      throw new ServingError(error.code, `${error.detail} at ${node.jsonPath}`, { cause: error });
    }
  }

  async #openLibrary(pipeline: PipelineSettings, node: NodeSettings, { libraries }: Surroundings): Promise<OpenedNode> {
    const { basePath } = findLibrary(libraries, node.libraryName ?? '');
    const { reference: custom, release } = await this.#libraries.open(basePath, node.params as Record<string, string>);
    const { customNodeId, signature } = custom;
    const reference = {
      kind: 'custom' as const,
      key: `custom ${customNodeId}`,
      title: nodeTitle(pipeline, node),
      signature,
      custom,
    };
    return { reference, files: [], release };
  }
}

async function openModule(pipeline: PipelineSettings, node: NodeSettings): Promise<OpenedNode> {
  const js = await describeJsNode(node.module ?? '', node.params, node.timeoutMs);
  const title = nodeTitle(pipeline, node);
  const key = `${title} ${js.key}`;
  return {
    reference: { kind: 'js', key, title, signature: js.signature, js },
    files: js.files.map(({ path }) => path),
    release: () => undefined,
  };
}

function findLibrary(libraries: Surroundings['libraries'], name: string): LibrarySettings {
  const library = libraries.find((candidate) => candidate.name === name);
  if (library === undefined) {
    const known = libraries.map((candidate) => candidate.name).join(', ') || 'none';
    throw new ServingError('PIPELINE_LIBRARY_INVALID', `expected one of the libraries ${known}, received ${name}`);
  }
  if (isInvalid(library)) throw new ServingError('PIPELINE_LIBRARY_INVALID', library.error.message);
  return library;
}

function nodeTitle(pipeline: PipelineSettings, node: NodeSettings): string {
  return `${titleOf(pipeline)}/${node.name}`;
}

function toUserNode(reference: UserNodeReference): UserNode {
  return { reference, signature: reference.signature };
}
