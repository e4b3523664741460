import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { transposeFrames } from '#src/client/frames.js';
import { readNpy } from '#src/client/npy.js';
import { Type, type Static } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import type { PredictTarget } from '../load/request-set.js';
import { OUTPUT } from '../support/paths.js';

/** OpenVINO's `PERFORMANCE_HINT`. */
export const HINTS = ['LATENCY', 'THROUGHPUT'] as const;
export type Hint = (typeof HINTS)[number];

const ConfigFile = Type.Object({
  model_config_list: Type.Array(
    Type.Object({ config: Type.Object({ name: Type.String(), base_path: Type.String() }) }),
  ),
});

/** The demo's models and pictures, in the forms that servers, load client and reference read. */
export class DemoRepository {
  readonly target: PredictTarget = {
    servable: 'image_classification_pipeline',
    input: 'image',
    output: 'label',
    shape: [1, 224, 224, 3],
  };
  readonly #directory: string;
  readonly #work: string;
  readonly #basePaths: ReadonlyMap<string, string>;

  private constructor(directory: string, work: string, basePaths: ReadonlyMap<string, string>) {
    this.#directory = directory;
    this.#work = work;
    this.#basePaths = basePaths;
  }

  /** @throws Error when the repository has not been prepared */
  static async open(models: string): Promise<DemoRepository> {
    const directory = resolve(models);
    const file = join(directory, 'config.json');
    if (!existsSync(file)) {
      throw new Error(`expected ${file}, found nothing: run models/prepare.py --set synthetic --out ${models}`);
    }
    const config = await readConfig(file);
    const basePaths = config.model_config_list.map((entry): [string, string] => [
      entry.config.name,
      resolve(directory, entry.config.base_path),
    ]);
    const work = join(OUTPUT, 'demo');
    await mkdir(work, { recursive: true });
    const repository = new DemoRepository(directory, work, new Map(basePaths));
    await repository.#writeInputs();
    return repository;
  }

  /** Raw f32 pictures in the networks' layout. */
  get pictures(): string {
    return join(this.#work, 'pictures.f32');
  }

  /** What a server is started with: LATENCY is its own default, so the prepared file is used as it is. */
  config(hint: Hint): string {
    return hint === 'LATENCY' ? join(this.#directory, 'config.json') : join(this.#work, `${hint}.json`);
  }

  /** The networks' file of a model, version 1. */
  modelFile(name: 'googlenet' | 'resnet' | 'argmax'): string {
    const basePath = this.#basePaths.get(name);
    if (basePath === undefined) throw new Error(`expected a model ${name} in the prepared repository, found none`);
    return join(basePath, '1', `${basePath.slice(basePath.lastIndexOf('/') + 1)}.xml`);
  }

  async #writeInputs(): Promise<void> {
    const array = await readNpy(join(this.#directory, 'pictures', 'imgs.npy'));
    const frames = transposeFrames({ shape: array.shape, values: Float32Array.from(array.elements) }, 'nchw2nhwc');
    await writeFile(this.pictures, new Uint8Array(frames.values.buffer));
    for (const hint of HINTS) if (hint !== 'LATENCY') await this.#writeConfig(hint);
  }

  /** The prepared configuration with the hint at every model. */
  async #writeConfig(hint: Hint): Promise<void> {
    const config = await readConfig(this.config('LATENCY'));
    const models = config.model_config_list.map(({ config: { name } }) => ({
      config: { name, base_path: this.#basePaths.get(name), plugin_config: { PERFORMANCE_HINT: hint } },
    }));
    await writeFile(this.config(hint), JSON.stringify({ ...config, model_config_list: models }));
  }
}

/** Keeps what the schema does not name: the pipelines. */
async function readConfig(file: string): Promise<Static<typeof ConfigFile>> {
  const config: unknown = JSON.parse(await readFile(file, 'utf8'));
  Value.Assert(ConfigFile, config);
  return config;
}
