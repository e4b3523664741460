import { resolveMetrics } from '../config/metrics-settings.js';
import type { LoadedConfig, MetricsSettings, ServerSettings } from '../config/settings.js';
import type { Subject } from '../observability/metrics/block.js';
import { exposition } from '../observability/metrics/exposition.js';
import { METRIC_NAMES } from '../observability/metrics/families.js';
import { MetricsBook, type ModelCapacity } from '../observability/metrics/metrics-book.js';
import { readStatistics, type ServableStatistics } from '../observability/metrics/statistics.js';
import type { ServablesSnapshot } from '../servables/snapshot.js';
import type { ConfigSource } from './config-source.js';

const OFF: MetricsSettings = Object.freeze({ enabled: false, names: null });

/**
 * The metrics on the control plane. Counting goes on whether or not anybody may see it: the ports listen before the configuration
 * says so, and a few additions a request cost less than to ask.
 */
export class Metrics {
  readonly book = new MetricsBook();
  readonly #settled: Promise<MetricsSettings>;
  #isSettled = false;
  #settle: (settings: MetricsSettings) => void = () => undefined;

  constructor() {
    this.#settled = new Promise((resolve) => (this.#settle = resolve));
  }

  /**
   * The first configuration was read; later ones are not asked (as OVMS 2026.2.1).
   *
   * @throws ServingError CONFIG_VALUE_INVALID as {@link resolveMetrics}
   */
  settle(server: ServerSettings, monitoring: LoadedConfig['monitoring']): void {
    if (this.#isSettled) return;
    this.#settle(resolveMetrics(server, monitoring, METRIC_NAMES));
    this.#isSettled = true;
  }

  /** No configuration will come: nothing will be shown. Does nothing after {@link settle}. */
  giveUp(): void {
    this.#isSettled = true;
    this.#settle(OFF);
  }

  /** To be told of each snapshot before any owner worker is. */
  learn(snapshot: ServablesSnapshot): void {
    this.book.learn(subjectsOf(snapshot), capacitiesOf(snapshot));
  }

  /** What a snapshot to come has is opened before it is shown, and counts in its blocks from then on. */
  learnAhead(snapshot: ServablesSnapshot): void {
    this.book.learn(subjectsOf(snapshot), this.book.capacities);
  }

  /** What is known of each servable's requests, whether or not metrics are on. */
  statistics(): ServableStatistics[] {
    return readStatistics(this.book);
  }

  /** The page, or `null` when metrics are off. Who asks before the configuration was read waits for that. */
  async page(): Promise<Uint8Array<ArrayBuffer> | null> {
    const { enabled, names } = await this.#settled;
    return enabled ? exposition(this.book, names) : null;
  }
}

/** A source whose first configuration settles the metrics; what they cannot be makes it a configuration that cannot be used. */
export function settlingMetrics(metrics: Metrics, server: ServerSettings, source: ConfigSource): ConfigSource {
  return {
    digest: () => source.digest(),
    read: async () => {
      const config = await source.read();
      metrics.settle(server, config.monitoring);
      return config;
    },
  };
}

/** Every model version that was ever seen, every pipeline, valid or not, and the nodes of the valid ones. */
export function subjectsOf({ models, pipelines }: ServablesSnapshot): Subject[] {
  return [
    ...models.flatMap(({ name, versions }) =>
      versions.flatMap(({ version, serving }): Subject[] => [
        { kind: 'model', name, version },
        ...((serving?.batching ?? null) === null ? [] : [{ kind: 'batching' as const, name, version }]),
      ]),
    ),
    ...pipelines.flatMap(({ name, version, graph }): Subject[] => [
      { kind: 'pipeline', name, version: version ?? 1 },
      ...(graph?.nodes ?? []).map((node) => ({
        kind: 'node' as const,
        pipeline: name,
        version: version ?? 1,
        node: node.name,
      })),
    ]),
  ];
}

function capacitiesOf({ models }: ServablesSnapshot): ModelCapacity[] {
  return models.flatMap(({ name, versions }) =>
    versions.map(({ version, serving }) => ({
      name,
      version,
      streams: serving?.reference.description.streams ?? 0,
      queueSize: serving?.nireq ?? 0,
    })),
  );
}
