import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { ConfigFile } from '#src/config/schema.js';

export type Model = ConfigFile['model_config_list'][number]['config'];
export type Pipeline = NonNullable<ConfigFile['pipeline_config_list']>[number];
type Node = Pipeline['nodes'][number];

/** A folder of models and config files for the tests of one file; it goes when they have run. */
export class TestRepository {
  readonly directory = mkdtempSync(join(tmpdir(), 'vinery-repository-'));

  constructor() {
    after(() => rmSync(this.directory, { recursive: true }));
  }

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  /**
   * Base paths of the models are their names unless said otherwise.
   *
   * @param libraries paths of custom node libraries by name.
   */
  writeConfig(
    models: readonly Model[],
    pipelines: readonly Pipeline[] = [],
    name = 'config.json',
    libraries: Readonly<Record<string, string>> = {},
  ): string {
    const config: ConfigFile = {
      model_config_list: models.map((config) => ({ config: { base_path: config.name, ...config } })),
      pipeline_config_list: [...pipelines],
      custom_node_library_config_list: Object.entries(libraries).map(([library, path]) => ({
        name: library,
        base_path: path,
      })),
    };
    return this.write(name, JSON.stringify(config));
  }

  write(name: string, content: string): string {
    const path = this.path(name);
    writeFileSync(path, content);
    return path;
  }
}

type Source = Node['inputs'][number][string];

/** Where values come from: `node.alias`, `request.input`, or a whole source with a conversion. */
export type Connections = Readonly<Record<string, string | Source>>;

/** A source as the configuration writes it. */
export function source(from: string | Source): Source {
  if (typeof from !== 'string') return from;
  const dot = from.indexOf('.');
  return { node_name: from.slice(0, dot), data_item: from.slice(dot + 1) };
}

/** A pipeline node; outputs keep their names as aliases. */
export function node(
  name: string,
  inputs: Connections,
  outputs: readonly string[],
  more: Pick<Node, 'type'> & Partial<Node>,
): Node {
  return {
    name,
    inputs: connections(inputs),
    outputs: outputs.map((output) => ({ data_item: output, alias: output })),
    ...more,
  };
}

/** A pipeline node over a model. */
export function modelNode(
  name: string,
  modelName: string,
  inputs: Connections,
  outputs: readonly string[],
  more: Partial<Node> = {},
): Node {
  return node(name, inputs, outputs, { type: 'DL model', model_name: modelName, ...more });
}

/** A node that passes on the first of its inputs that was not skipped, as `selected`. */
export function selectNode(name: string, inputs: Connections, more: Partial<Node> = {}): Node {
  return node(name, inputs, ['selected'], { type: 'select', ...more });
}

export function pipeline(
  name: string,
  inputs: readonly string[],
  nodes: readonly Node[],
  outputs: Connections,
  more: Partial<Pipeline> = {},
): Pipeline {
  return { name, inputs: [...inputs], nodes: [...nodes], outputs: connections(outputs), ...more };
}

function connections(sources: Connections): Pipeline['outputs'] {
  return Object.entries(sources).map(([target, from]) => ({ [target]: source(from) }));
}
