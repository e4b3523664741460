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

  /** Base paths of the models are their names unless said otherwise. */
  writeConfig(models: readonly Model[], pipelines: readonly Pipeline[] = [], name = 'config.json'): string {
    const config: ConfigFile = {
      model_config_list: models.map((config) => ({ config: { base_path: config.name, ...config } })),
      pipeline_config_list: [...pipelines],
    };
    return this.write(name, JSON.stringify(config));
  }

  write(name: string, content: string): string {
    const path = this.path(name);
    writeFileSync(path, content);
    return path;
  }
}

/** Where a value comes from: `node.alias`, or `request.input`. */
export type Connections = Readonly<Record<string, string>>;

/** A pipeline node over a model; outputs keep their names as aliases. */
export function modelNode(name: string, modelName: string, inputs: Connections, outputs: readonly string[]): Node {
  return {
    name,
    type: 'DL model',
    model_name: modelName,
    inputs: connections(inputs),
    outputs: outputs.map((output) => ({ data_item: output, alias: output })),
  };
}

export function pipeline(
  name: string,
  inputs: readonly string[],
  nodes: readonly Node[],
  outputs: Connections,
): Pipeline {
  return { name, inputs: [...inputs], nodes: [...nodes], outputs: connections(outputs) };
}

function connections(sources: Connections): Pipeline['outputs'] {
  return Object.entries(sources).map(([target, source]) => {
    const dot = source.indexOf('.');
    return { [target]: { node_name: source.slice(0, dot), data_item: source.slice(dot + 1) } };
  });
}
