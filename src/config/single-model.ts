import { ServingError } from '../errors.js';
import { shown } from '../texts.js';
import { deepFreeze } from './deep-freeze.js';
import { isNestedDeeper, NESTING_LIMIT } from './json-nesting.js';
import { makeModelSettings } from './model-settings.js';
import { parseChannelNumbers, parseColorFormat, parsePrecision, parseScale } from './preprocessing-grammar.js';
import { ModelConfig } from './schema.js';
import { checkSchema } from './schema-check.js';
import type { LoadedConfig, PreprocessingSettings, SingleModelFlags } from './settings.js';
import type { Parsed } from './shape-grammar.js';

/**
 * The flags of one model, completed as an entry of config.json is, except that every bad value is fatal (as OVMS 2026.2.1).
 * @param workingDirectory a relative `--model_path` belongs here.
 * @throws ServingError CONFIG_VALUE_INVALID, PATH_INVALID, MODEL_LAYOUT_INVALID
 */
export function loadSingleModel(flags: SingleModelFlags, workingDirectory: string): LoadedConfig {
  const warnings: string[] = [];
  const settings = makeModelSettings(makeModelConfig(flags), {
    jsonPath: '',
    at: (key) => (key === 'base_path' ? '--model_path' : `--${key}`),
    directory: workingDirectory,
    onBadValue: (text) => {
      throw new ServingError('CONFIG_VALUE_INVALID', text);
    },
    warn: (text) => void warnings.push(text),
  });
  return deepFreeze({
    models: [{ ...settings, preprocessing: readPreprocessing(flags) }],
    pipelines: [],
    libraries: [],
    loaders: [],
    monitoring: null,
    warnings,
    digest: '',
  });
}

function readPreprocessing({ mean, scale, colorFormat, precision }: SingleModelFlags): PreprocessingSettings {
  return {
    mean: readFlag('--mean', mean, parseChannelNumbers),
    scale: readFlag('--scale', scale, parseScale),
    colorFormat: readFlag('--color_format', colorFormat, parseColorFormat),
    precision: readFlag('--precision', precision, parsePrecision),
  };
}

function readFlag<T>(flag: string, text: string | null, parse: (text: string) => Parsed<T>): T | null {
  if (text === null) return null;
  const { value, fault } = parse(text);
  if (fault !== null) throw new ServingError('CONFIG_VALUE_INVALID', `${flag}: ${fault}`);
  return value;
}

function makeModelConfig(flags: SingleModelFlags): ModelConfig {
  const { plugin_config, ...rest } = withoutNulls({
    name: flags.modelName,
    base_path: flags.modelPath,
    batch_size: flags.batchSize,
    shape: textOrMap('--shape', flags.shape),
    layout: textOrMap('--layout', flags.layout),
    model_version_policy:
      flags.modelVersionPolicy === null ? null : parseObject('--model_version_policy', flags.modelVersionPolicy),
    nireq: flags.nireq,
    target_device: flags.targetDevice,
    plugin_config: flags.pluginConfig === null ? null : parseObject('--plugin_config', flags.pluginConfig),
    stateful: flags.stateful,
    idle_sequence_cleanup: flags.idleSequenceCleanup,
    low_latency_transformation: flags.lowLatencyTransformation,
    max_sequence_number: flags.maxSequenceNumber,
    dynamic_batching: flags.dynamicBatching === null ? null : parseObject('--dynamic_batching', flags.dynamicBatching),
  });
  const config = checkSchema(ModelConfig, rest, 'CONFIG_VALUE_INVALID', '--');
  // The file's schema has scalars only; on the command line DEVICE_PROPERTIES may nest, which the translation checks.
  return plugin_config === undefined ? config : { ...config, plugin_config: plugin_config as Record<string, string> };
}

function withoutNulls(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** A JSON object gives values by input name, anything else is the value of the only input. */
function textOrMap(flag: string, text: string | null): unknown {
  return text !== null && text.trimStart().startsWith('{') ? parseObject(flag, text) : text;
}

function parseObject(flag: string, text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ServingError('CONFIG_VALUE_INVALID', `${flag}: expected a JSON object, received ${shown(text)}`);
  }
  if (isNestedDeeper(value, NESTING_LIMIT)) {
    const expected = `at most ${NESTING_LIMIT} lists and objects inside one another`;
    throw new ServingError('CONFIG_VALUE_INVALID', `${flag}: expected ${expected}, received ${shown(text)}`);
  }
  return value;
}
