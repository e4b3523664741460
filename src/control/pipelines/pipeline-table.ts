import type { ModelSignature } from '../../dag/definition.js';
import type { BuiltPipeline } from './pipeline-builder.js';
import type { PipelineDefinition } from './pipeline-definition.js';

/** All definitions that were ever listed, by name and version. */
export class PipelineTable {
  readonly #definitions = new Map<string, PipelineDefinition>();

  get(name: string, version: number | null): PipelineDefinition | undefined {
    return this.#definitions.get(keyOf(name, version));
  }

  add(definition: PipelineDefinition): void {
    this.#definitions.set(keyOf(definition.name, definition.version), definition);
  }

  has(name: string): boolean {
    return this.all().some((definition) => definition.name === name);
  }

  all(): PipelineDefinition[] {
    return [...this.#definitions.values()];
  }

  /** Those that are not retired. */
  live(): PipelineDefinition[] {
    return this.all().filter((definition) => !definition.isRetired);
  }

  /** What a node that names a pipeline runs; `null` asks for the highest version that is built. */
  built(name: string, version: number | null): BuiltPipeline | undefined {
    return this.#definition(name, version)?.built ?? undefined;
  }

  /** The ends of a built pipeline for one that uses it; never of one that contains its user. */
  signature(name: string, version: number | null, user: PipelineDefinition): ModelSignature | undefined {
    const definition = this.#definition(name, version);
    if (definition === undefined || this.#contains(definition, user, new Set())) return undefined;
    const { inputs, outputs } = definition.built!.graph;
    return { inputs: inputs.map(({ info }) => info), outputs: outputs.map(({ info }) => info) };
  }

  /** The same definitions, what is used before what uses it; those that use each other stay as they were. */
  inOrderOfUse(definitions: readonly PipelineDefinition[]): PipelineDefinition[] {
    const ordered = new Set<PipelineDefinition>();
    const visited = new Set<PipelineDefinition>();
    const visit = (definition: PipelineDefinition): void => {
      if (visited.has(definition)) return;
      visited.add(definition);
      const used = usedPipelines(definition);
      for (const each of definitions) if (used.has(each.name)) visit(each);
      ordered.add(definition);
    };
    definitions.forEach(visit);
    return [...ordered];
  }

  #definition(name: string, version: number | null): PipelineDefinition | undefined {
    const built = this.all().filter((definition) => definition.name === name && definition.built !== null);
    const found = built.filter((definition) => version === null || (definition.version ?? version) === version);
    return found.sort((a, b) => (a.version ?? 1) - (b.version ?? 1)).at(-1);
  }

  #contains(definition: PipelineDefinition, user: PipelineDefinition, seen: Set<PipelineDefinition>): boolean {
    if (definition === user) return true;
    if (seen.has(definition)) return false;
    seen.add(definition);
    const used = usedPipelines(definition);
    return this.live().some((each) => used.has(each.name) && this.#contains(each, user, seen));
  }
}

function usedPipelines({ used }: PipelineDefinition): Set<string> {
  return new Set(used.filter(({ kind }) => kind === 'pipeline').map(({ name }) => name));
}

function keyOf(name: string, version: number | null): string {
  return `${version ?? ''}/${name}`;
}
