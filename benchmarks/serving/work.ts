import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { writeRequests, type PredictTarget } from '../load/request-file.js';
import { writeLargestModel } from '../support/model-text.js';
import { OUTPUT } from '../support/paths.js';

/** Seed topologies, light networks and tiny ones in the demo's pipeline; and one model that does next to nothing. */
export const WORK_NAMES = ['seed', 'light', 'tiny', 'trivial'] as const;
export type WorkName = (typeof WORK_NAMES)[number];

const TITLES: Readonly<Record<WorkName, string>> = {
  seed: 'Seed topologies: Inception-v2 and ResNet-50 on a picture of 602 KB, then argmax',
  light: 'Light networks: two of a few MMAC on a picture of 602 KB, then argmax',
  tiny: 'Tiny pipeline: two products of 10 by 10×1001, then argmax',
  trivial: 'Trivial model: the largest number of a picture of 602 KB',
};

const ConfigFile = Type.Object({
  model_config_list: Type.Array(
    Type.Object({ config: Type.Object({ name: Type.String(), base_path: Type.String() }) }),
  ),
});
type Config = Static<typeof ConfigFile>;

/** A set of models with all that servers, load clients and the reference read. */
export class Work {
  readonly name: WorkName;
  readonly title: string;
  readonly target: PredictTarget;
  /** Where its generated files lie. */
  readonly #directory: string;
  /** As prepared, with absolute paths. */
  readonly #config: Config;

  private constructor(name: WorkName, target: PredictTarget, directory: string, config: Config) {
    this.name = name;
    this.title = TITLES[name];
    this.target = target;
    this.#directory = directory;
    this.#config = config;
  }

  /**
   * Of what `prepare.py` has made. @param models repository of the seed topologies
   * @throws Error when it is not there
   */
  static async open(name: WorkName, models: string): Promise<Work> {
    const directory = directoryOf(name);
    await mkdir(directory, { recursive: true });
    if (name === 'trivial') return Work.#openTrivial(directory);
    const repository = name === 'seed' ? resolve(models) : directory;
    const config = await readConfig(join(repository, 'config.json'));
    for (const entry of config.model_config_list) {
      entry.config.base_path = resolve(repository, entry.config.base_path);
    }
    const shape = name === 'tiny' ? [1, 10] : [1, 224, 224, 3];
    const target = { servable: 'image_classification_pipeline', input: 'image', output: 'label', shape };
    const work = new Work(name, target, directory, config);
    await writeRequests(work.requests, target, work.inputs);
    return work;
  }

  static async #openTrivial(directory: string): Promise<Work> {
    writeLargestModel(join(directory, 'largest', '1'));
    const target = { servable: 'largest', input: 'image', output: 'largest', shape: [1, 224, 224, 3] };
    const config = { model_config_list: [{ config: { name: 'largest', base_path: join(directory, 'largest') } }] };
    const work = new Work('trivial', target, directory, config);
    await writeRequests(work.requests, target, join(directoryOf('light'), 'inputs.f32'));
    return work;
  }

  /** Raw f32, one input after the other. */
  get inputs(): string {
    return join(this.#directory, 'inputs.f32');
  }

  /** Ready-made messages. */
  get requests(): string {
    return join(this.#directory, 'requests');
  }

  /** The configuration with these settings at every model. @returns its path */
  async config(name: string, settings: Readonly<Record<string, unknown>>): Promise<string> {
    const models = this.#config.model_config_list.map(({ config }) => ({ config: { ...config, ...settings } }));
    const file = join(this.#directory, `${name}.json`);
    await writeFile(file, JSON.stringify({ ...this.#config, model_config_list: models }, null, 1));
    return file;
  }

  /** The file of a network, version 1. */
  modelFile(name: 'googlenet' | 'resnet' | 'argmax'): string {
    const entry = this.#config.model_config_list.find(({ config }) => config.name === name);
    if (entry === undefined) throw new Error(`expected a model ${name} in the set ${this.name}, found none`);
    const version = join(entry.config.base_path, '1');
    const file = readdirSync(version).find((candidate) => candidate.endsWith('.xml'));
    if (file === undefined) throw new Error(`expected an .xml file in ${version}, found none`);
    return join(version, file);
  }
}

function directoryOf(name: WorkName): string {
  return `${OUTPUT}serving/${name}`;
}

/** Keeps what the schema does not name: the pipelines. */
async function readConfig(file: string): Promise<Config> {
  if (!existsSync(file)) throw new Error(`expected ${file}, found nothing: \`make bench\` prepares it`);
  const config: unknown = JSON.parse(await readFile(file, 'utf8'));
  Value.Assert(ConfigFile, config);
  return config;
}
