import { loadConfigFile, type ConfigFileSystem } from '#src/config/load.js';
import { isInvalid, type LoadedConfig, type ModelSettings } from '#src/config/settings.js';
import { ServingError } from '#src/errors.js';

/** A file whose readings are scripted: a text, or the error of the system. The last one repeats. Waits are only noted. */
export class ScriptedFile implements ConfigFileSystem {
  readonly waits: number[] = [];
  reads = 0;

  constructor(private readonly readings: readonly (string | Error)[]) {}

  readFile(): Promise<Uint8Array> {
    const reading = this.readings[Math.min(this.reads++, this.readings.length - 1)] ?? '';
    return reading instanceof Error ? Promise.reject(reading) : Promise.resolve(new TextEncoder().encode(reading));
  }

  sleep(milliseconds: number): Promise<void> {
    this.waits.push(milliseconds);
    return Promise.resolve();
  }
}

/** Loads `/configs/config.json` with this content. */
export function load(content: unknown): Promise<LoadedConfig> {
  return loadConfigFile('/configs/config.json', new ScriptedFile([JSON.stringify(content)]));
}

/** Loads one model entry; `name` is added. */
export async function loadModel(
  config: object,
): Promise<{ model: LoadedConfig['models'][number]; warnings: readonly string[] }> {
  const { models, warnings } = await load({ model_config_list: [{ config: { name: 'm', ...config } }] });
  const [model] = models;
  if (!model) throw new Error('no model was loaded');
  return { model, warnings };
}

/** The settings of a model entry that must be good, without warnings. */
export async function goodModel(config: object): Promise<ModelSettings> {
  const { model, warnings } = await loadModel(config);
  if (isInvalid(model)) throw model.error;
  if (warnings.length > 0) throw new Error(warnings.join('; '));
  return model;
}

/** Code and detail of the ServingError a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<{ code: string; detail: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServingError) return { code: error.code, detail: error.detail };
    throw error;
  }
  throw new Error('expected a rejection');
}
