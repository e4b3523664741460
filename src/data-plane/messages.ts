import type { MessagePort } from 'node:worker_threads';

import type { Backend, CorsSettings, GrpcTransport, LogSettings, NodeExecutor } from '../config/settings.js';
import type { MetricsBlock } from '../observability/metrics/block.js';
import type { ServableStatistics } from '../observability/metrics/statistics.js';
import type { ThroughputVariant } from '../inference/inference.js';
import type { ReloadOutcome } from '../servables/reload-outcome.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';
import type { WarmUpOutcome, WarmUpTask } from '../servables/warm-up.js';
import type { Answered } from './questions.js';

/** What an owner worker is started with. Crosses once, by structured clone. */
export interface OwnerTask {
  /** The worker's end of its line to the control plane; transferred. */
  readonly control: MessagePort;
  /** Listening sockets of its own: descriptors that this worker accepts from and closes. */
  readonly grpcDescriptors: readonly number[];
  readonly restDescriptors: readonly number[];
  /** Which server the gRPC port has; decided by now. */
  readonly grpcTransport: Exclude<GrpcTransport, 'auto'>;
  /** Whether the native one is driven by this worker's event loop, and not by a thread of its own. */
  readonly grpcSharesLoop: boolean;
  /** Bytes of requests that this worker's gRPC port receives or works on at a time. */
  readonly grpcMemoryBytes: number;
  readonly channelArguments: Readonly<Record<string, string | number>>;
  /** Whether clients may register POSIX shared memory. */
  readonly sharesMemory: boolean;
  readonly cors: CorsSettings;
  readonly log: LogSettings;
  readonly backend: Backend;
  readonly nodeExecutor: NodeExecutor;
  /** Owner workers in all: each takes its share of a model's infer requests. */
  readonly workers: number;
  /** The servables to begin with. */
  readonly snapshot: ServablesSnapshot;
  /** Where this worker counts, for itself and for each servable of the snapshot. */
  readonly metrics: readonly MetricsBlock[];
}

/** From the control plane to an owner worker. */
export type OwnerCommand =
  /** @param metrics where to count for the servables that are new in this snapshot. */
  | { readonly kind: 'snapshot'; readonly snapshot: ServablesSnapshot; readonly metrics: readonly MetricsBlock[] }
  /** To the question with this number. */
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Answered<ReloadOutcome> }
  /** The metrics of all owner workers as text in memory that moves here, to the question with this number; `null`: metrics are off. */
  | { readonly kind: 'page'; readonly id: number; readonly answer: Answered<Uint8Array<ArrayBuffer> | null> }
  /** Open what the snapshot has, with the blocks of what it names first, and ask one servable of it, before a snapshot shows it to requests. */
  | {
      readonly kind: 'warm-up';
      readonly id: number;
      readonly snapshot: ServablesSnapshot;
      readonly metrics: readonly MetricsBlock[];
      readonly task: WarmUpTask;
    }
  /** A model that was opened for a warm-up: no snapshot will show it. */
  | { readonly kind: 'forget'; readonly modelId: number }
  /** To the question with this number; `null`: there is none. */
  | { readonly kind: 'throughput-variant'; readonly id: number; readonly answer: Answered<ThroughputVariant | null> }
  /** What all owner workers have counted, to the question with this number. */
  | { readonly kind: 'statistics'; readonly id: number; readonly answer: Answered<readonly ServableStatistics[]> }
  /** Accept nothing more, finish what was accepted, end. */
  | { readonly kind: 'stop' };

/** From an owner worker to the control plane. */
export type OwnerReport =
  /** The ports accept. */
  | { readonly kind: 'ready' }
  /** From here on this worker runs no request on an older snapshot's models but those that began before. */
  | { readonly kind: 'applied'; readonly epoch: number }
  /** Of the warm-up with this number. */
  | { readonly kind: 'warmed-up'; readonly id: number; readonly outcome: WarmUpOutcome }
  /** Reload the configuration; the answer comes when this worker runs on what it brought. */
  | { readonly kind: 'reload'; readonly id: number }
  /** Several requests want a model at a time. */
  | { readonly kind: 'crowded'; readonly id: number; readonly modelId: number }
  /** A client wants the metrics. */
  | { readonly kind: 'metrics'; readonly id: number }
  /** A client wants statistics of servables. */
  | { readonly kind: 'statistics'; readonly id: number };
