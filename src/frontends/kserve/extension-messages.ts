import protobuf from 'protobufjs/minimal.js';
import type { ServableStatistics } from '../../observability/metrics/statistics.js';
import { decodeMessage, skip, tagOf, WIRE } from '../protobuf/wire-reader.js';
import type { IndexEntry } from './extensions.js';
import { CONFIG_TYPES, type ConfigTensor, type ModelConfig } from './model-config.js';
import { statisticsOf } from './statistics-json.js';

const bytesField = (number: number): number => tagOf(number, WIRE.BYTES);
const numberField = (number: number): number => tagOf(number, WIRE.VARINT);

const INDEX_READY = numberField(2);
const CONFIG = { name: 1, platform: 2, input: 5, output: 6, backend: 17 } as const;
const INPUT_DIMS = 4;
const OUTPUT_DIMS = 3;
const STATISTICS = { name: 1, version: 2, inferences: 4, executions: 5, durations: 6 } as const;
const DURATIONS = {
  success: 1,
  fail: 2,
  queue: 3,
  compute_input: 4,
  compute_infer: 5,
  compute_output: 6,
  cache_hit: 7,
  cache_miss: 8,
} as const;

/** `inference.RepositoryIndexRequest`: whether only what is ready is asked for. @throws ServingError MESSAGE_MALFORMED */
export function decodeIndexRequest(bytes: Uint8Array): boolean {
  return decodeMessage('RepositoryIndexRequest', bytes, (reader) => {
    let ready = false;
    while (reader.pos < reader.len) {
      const tag = reader.tag();
      if (tag === INDEX_READY) ready = reader.bool();
      else skip(reader, tag);
    }
    return ready;
  });
}

export function encodeIndex(entries: readonly IndexEntry[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { name, version, state, reason } of entries) {
    writer.uint32(bytesField(1)).fork();
    [name, version, state, reason].forEach((text, index) => writer.uint32(bytesField(index + 1)).string(text));
    writer.ldelim();
  }
  return writer.finish();
}

/** `inference.ModelConfigResponse` */
export function encodeModelConfig({ name, platform, backend, input, output }: ModelConfig): Uint8Array {
  const writer = protobuf.Writer.create().uint32(bytesField(1)).fork();
  writer.uint32(bytesField(CONFIG.name)).string(name).uint32(bytesField(CONFIG.platform)).string(platform);
  for (const tensor of input) writeTensor(writer.uint32(bytesField(CONFIG.input)), tensor, INPUT_DIMS);
  for (const tensor of output) writeTensor(writer.uint32(bytesField(CONFIG.output)), tensor, OUTPUT_DIMS);
  return writer.uint32(bytesField(CONFIG.backend)).string(backend).ldelim().finish();
}

function writeTensor(writer: protobuf.Writer, { name, data_type: type, dims }: ConfigTensor, dimsField: number): void {
  writer.fork().uint32(bytesField(1)).string(name).uint32(numberField(2)).int32(CONFIG_TYPES[type]);
  writer.uint32(bytesField(dimsField)).fork();
  for (const size of dims) writer.int64(size);
  writer.ldelim().ldelim();
}

/** `inference.ModelStatisticsResponse` */
export function encodeStatistics(statistics: readonly ServableStatistics[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const each of statistics) {
    const {
      name,
      version,
      inference_count: inferences,
      execution_count: executions,
      inference_stats,
    } = statisticsOf(each);
    writer.uint32(bytesField(1)).fork();
    writer.uint32(bytesField(STATISTICS.name)).string(name).uint32(bytesField(STATISTICS.version)).string(version);
    writer.uint32(numberField(STATISTICS.inferences)).uint64(inferences);
    writer.uint32(numberField(STATISTICS.executions)).uint64(executions);
    writer.uint32(bytesField(STATISTICS.durations)).fork();
    for (const [kind, field] of Object.entries(DURATIONS)) {
      const { count, ns } = inference_stats[kind as keyof typeof DURATIONS];
      writer.uint32(bytesField(field)).fork().uint32(numberField(1)).uint64(count).uint32(numberField(2)).uint64(ns);
      writer.ldelim();
    }
    writer.ldelim().ldelim();
  }
  return writer.finish();
}
