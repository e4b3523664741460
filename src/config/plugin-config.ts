import { ServingError } from '../errors.js';
import { shown } from '../texts.js';
import { escapePointer } from './schema-check.js';
import type { PluginValue } from './settings.js';

export interface TranslatedPluginConfig {
  readonly pluginConfig: Readonly<Record<string, PluginValue>>;
  /** Whether nothing written says how many inferences there are to be at a time. */
  readonly isOpen: boolean;
  readonly warnings: readonly string[];
}

const STREAMS_KEYS: Readonly<Record<string, string>> = {
  CPU_THROUGHPUT_STREAMS: 'CPU_THROUGHPUT_AUTO',
  GPU_THROUGHPUT_STREAMS: 'GPU_THROUGHPUT_AUTO',
};
const INTEGER_KEYS = ['INFERENCE_NUM_THREADS', 'AUTO_BATCH_TIMEOUT'];
const BOOLEANS: Readonly<Record<string, boolean>> = {
  YES: true,
  TRUE: true,
  '1': true,
  NO: false,
  FALSE: false,
  '0': false,
};

/**
 * What the user wrote, as `compile_model` wants it: old keys renamed with a warning, texts converted where OpenVINO has numbers
 * or booleans, `PERFORMANCE_HINT=LATENCY` unless a hint or a number of streams is given (as OVMS 2026.2.1).
 * For `CPU` one default of ours follows, measured on pipelines: unpinned threads (pinned, parallel nodes share cores).
 * @param where opens the texts of errors: a JSON pointer or a flag.
 * @throws ServingError CONFIG_VALUE_INVALID
 */
export function translatePluginConfig(
  written: Readonly<Record<string, unknown>>,
  targetDevice: string,
  where: string,
): TranslatedPluginConfig {
  const warnings: string[] = [];
  const result = new Map<string, PluginValue>();
  for (const [writtenKey, writtenValue] of Object.entries(written)) {
    const [key, value] = renameOldKey(writtenKey, scalar(writtenKey, writtenValue, where), warnings);
    result.set(key, convert(key, value, where));
  }
  if (isYes(result.get('ENABLE_MMAP'))) {
    warnings.push('Plugin config key ENABLE_MMAP is of no effect: weights are read into memory.');
  }
  const isOpen = !result.has('NUM_STREAMS') && !result.has('PERFORMANCE_HINT');
  if (isOpen) result.set('PERFORMANCE_HINT', 'LATENCY');
  if (targetDevice === 'CPU' && !result.has('ENABLE_CPU_PINNING')) result.set('ENABLE_CPU_PINNING', false);
  return { pluginConfig: Object.fromEntries(result), isOpen, warnings };
}

/** Only `DEVICE_PROPERTIES` may nest; OpenVINO reads its JSON text as well as a map. */
function scalar(key: string, value: unknown, where: string): PluginValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (key === 'DEVICE_PROPERTIES' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return JSON.stringify(value);
  }
  throw invalid(`${where}/${escapePointer(key)}`, 'string, number or boolean', value);
}

function renameOldKey(key: string, value: PluginValue, warnings: string[]): [string, PluginValue] {
  const renamed = newNameOf(key, value);
  if (!renamed) return [key, value];
  warnings.push(`Plugin config key ${key} is deprecated. Use ${renamed[0]} instead.`);
  return renamed;
}

function newNameOf(key: string, value: PluginValue): [string, PluginValue] | null {
  if (key === 'CPU_THREADS_NUM') return ['INFERENCE_NUM_THREADS', value];
  if (!Object.hasOwn(STREAMS_KEYS, key)) return null;
  return value === STREAMS_KEYS[key] ? ['PERFORMANCE_HINT', 'THROUGHPUT'] : ['NUM_STREAMS', value];
}

function convert(key: string, value: PluginValue, where: string): PluginValue {
  if (key === 'NUM_STREAMS') return String(value);
  if (typeof value !== 'string') return value;
  if (INTEGER_KEYS.includes(key)) return toInteger(`${where}/${key}`, value);
  if (key === 'ENABLE_CPU_PINNING') return toBoolean(`${where}/${key}`, value);
  return value;
}

function toInteger(where: string, value: string): number {
  const number = /^-?\d+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(number)) throw invalid(where, 'an integer', value);
  return number;
}

function isYes(value: PluginValue | undefined): boolean {
  return value !== undefined && BOOLEANS[String(value).toUpperCase()] === true;
}

function toBoolean(where: string, value: string): boolean {
  const upper = value.toUpperCase();
  if (!Object.hasOwn(BOOLEANS, upper)) throw invalid(where, 'YES or NO', value);
  return BOOLEANS[upper] === true;
}

function invalid(where: string, expected: string, received: unknown): ServingError {
  return new ServingError('CONFIG_VALUE_INVALID', `${where}: expected ${expected}, received ${shown(received)}`);
}
