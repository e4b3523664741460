import { ServingError } from '../errors.js';
import { shown } from '../texts.js';
import { resolveBasePath } from './base-path.js';
import { parseLayout } from './layout-grammar.js';
import { translatePluginConfig } from './plugin-config.js';
import type { ModelConfig } from './schema.js';
import { escapePointer } from './schema-check.js';
import {
  isAuto,
  type BatchingSettings,
  type BatchSize,
  type LayoutParameter,
  type ModelSettings,
  type PerInput,
  type PreprocessingSettings,
  type ShapeParameter,
  type StatefulSettings,
} from './settings.js';
import { parseBatchSize, parseShape, type Parsed } from './shape-grammar.js';
import { readVersionPolicy } from './version-policy-config.js';

const LARGEST_NIREQ = 100000;
const MAX_SEQUENCE_NUMBER = 500;
export const NO_PREPROCESSING: PreprocessingSettings = Object.freeze({
  mean: null,
  scale: null,
  colorFormat: null,
  precision: null,
});

/** How an entry is read: relative paths, and what a bad shape or batch size does. */
export interface ModelContext {
  readonly jsonPath: string;
  /** How errors name a key of the entry: its JSON pointer, or the flag it came from. */
  readonly at: (key: keyof ModelConfig) => string;
  /** Relative base paths belong here. */
  readonly directory: string;
  /** Told of a value that is left out, and what is done instead; throws where such a value is fatal. */
  readonly onBadValue: (fault: string, instead: string) => void;
  readonly warn: (text: string) => void;
}

/**
 * Completes one entry of `model_config_list`.
 * @throws ServingError PATH_INVALID, MODEL_LAYOUT_INVALID or CONFIG_VALUE_INVALID: this model cannot be served.
 */
export function makeModelSettings(config: ModelConfig, context: ModelContext): ModelSettings {
  const { jsonPath, directory, at } = context;
  if (config.custom_loader_options) {
    throw invalid(at('custom_loader_options'), 'no custom loader (they are not supported)');
  }
  const basePath = resolveBasePath(config.base_path ?? '', directory, at('base_path'));
  const targetDevice = config.target_device ?? 'CPU';
  const { pluginConfig, isOpen, warnings } = translatePluginConfig(
    config.plugin_config ?? {},
    targetDevice,
    at('plugin_config'),
  );
  for (const warning of warnings) context.warn(`${at('plugin_config')}: ${warning}`);
  const shape = readShape(config.shape, context);
  const batchSize = readBatchSize(config.batch_size, shape !== null, context);
  warnOfAuto(shape, batchSize, context);
  return {
    name: config.name,
    jsonPath,
    basePath,
    versionPolicy: readVersionPolicy(config.model_version_policy),
    targetDevice,
    pluginConfig,
    nireq: readNireq(config.nireq ?? 0, context),
    followsLoad: isOpen && (config.nireq ?? 0) === 0,
    shape,
    batchSize,
    layout: readLayout(config.layout, context),
    allowCache: config.allow_cache ?? null,
    stateful: readStateful(config, context),
    dynamicBatching: readBatching(config, context),
    preprocessing: NO_PREPROCESSING,
  };
}

function readNireq(nireq: number, { at }: ModelContext): number {
  if (nireq > LARGEST_NIREQ) throw invalid(at('nireq'), `at most ${LARGEST_NIREQ}`, nireq);
  return nireq;
}

function readShape(written: ModelConfig['shape'], context: ModelContext): PerInput<ShapeParameter> | null {
  if (written === undefined) return null;
  return perInput(written, context.at('shape'), parseShape, (path, fault) =>
    context.onBadValue(`${path}: ${fault}`, 'the shape is left as the model has it'),
  );
}

function readBatchSize(
  written: ModelConfig['batch_size'],
  hasShape: boolean,
  { at, onBadValue, warn }: ModelContext,
): BatchSize | null {
  if (written === undefined) return null;
  const { value, fault } = parseBatchSize(String(written));
  if (fault !== null) onBadValue(`${at('batch_size')}: ${fault}`, 'the batch size is left as the model has it');
  if (value !== null && hasShape) {
    warn(`${at('batch_size')}: Both shape and batch size have been defined. Batch size parameter will be ignored.`);
    return null;
  }
  return value;
}

function warnOfAuto(
  shape: PerInput<ShapeParameter> | null,
  batchSize: BatchSize | null,
  { at, warn }: ModelContext,
): void {
  if (!isAuto({ shape, batchSize })) return;
  const key = batchSize === 'auto' ? 'batch_size' : 'shape';
  warn(`${at(key)}: auto is deprecated and forbidden in pipelines. Use dynamic dimensions (-1) instead.`);
}

function readLayout(written: ModelConfig['layout'], { at }: ModelContext): PerInput<LayoutParameter> | null {
  if (written === undefined) return null;
  return perInput(written, at('layout'), parseLayout, (path, fault) => {
    throw new ServingError('MODEL_LAYOUT_INVALID', `${path}: ${fault}`);
  });
}

/** A text is meant for the only input, an object for inputs by name. `null` when no entry was good. */
function perInput<T extends object | string>(
  written: string | Record<string, string>,
  where: string,
  parse: (text: string) => Parsed<T>,
  onFault: (path: string, fault: string) => void,
): PerInput<T> | null {
  const parseAt = (path: string, text: string): T | null => {
    const { value, fault } = parse(text);
    if (fault !== null) onFault(path, fault);
    return value;
  };
  if (typeof written === 'string') {
    const value = parseAt(where, written);
    return value === null ? null : { kind: 'anonymous', value };
  }
  const values = Object.entries(written).flatMap(([name, text]) => {
    const value = parseAt(`${where}/${escapePointer(name)}`, text);
    return value === null ? [] : [{ name, value }];
  });
  return values.length === 0 ? null : { kind: 'named', values };
}

function readStateful(config: ModelConfig, { at }: ModelContext): StatefulSettings | null {
  const keys = ['idle_sequence_cleanup', 'low_latency_transformation', 'max_sequence_number'] as const;
  if (config.stateful !== true) {
    const used = keys.find((key) => config[key] !== undefined);
    if (used) throw invalid(at(used), 'no such key on a model that is not stateful', config[used]);
    return null;
  }
  return {
    idleSequenceCleanup: config.idle_sequence_cleanup ?? true,
    lowLatencyTransformation: config.low_latency_transformation ?? false,
    maxSequenceNumber: config.max_sequence_number ?? MAX_SEQUENCE_NUMBER,
  };
}

function readBatching(
  { dynamic_batching: written, stateful }: ModelConfig,
  { at }: ModelContext,
): BatchingSettings | null {
  if (written === undefined) return null;
  const where = at('dynamic_batching');
  if (stateful === true) throw invalid(where, 'no such key on a stateful model');
  const { max_batch_size: maxBatchSize, preferred_batch_size: preferred = [] } = written;
  preferred.forEach((size, index) => {
    if (size > maxBatchSize) {
      const expected = `at most max_batch_size, which is ${maxBatchSize}`;
      throw invalid(`${where}/preferred_batch_size/${index}`, expected, size);
    }
  });
  return {
    maxBatchSize,
    maxQueueDelayMicros: written.max_queue_delay_microseconds ?? 0,
    preferredBatchSizes: [...new Set(preferred)].sort((a, b) => a - b),
  };
}

function invalid(where: string, expected: string, received?: unknown): ServingError {
  const suffix = received === undefined ? '' : `, received ${shown(received)}`;
  return new ServingError('CONFIG_VALUE_INVALID', `${where}: expected ${expected}${suffix}`);
}
