import { resolve } from 'node:path';

import type { BlockingPool } from '../blocking/blocking-pool.js';
import type { ServerSettings, ServablesSource } from '../config/settings.js';
import type { NativeBinding } from '../native/binding.js';
import { CustomNodeFactory } from '../nodes/custom/custom-node-factory.js';
import { configFileSource, singleModelSource, type ConfigSource } from './config-source.js';
import type { LoadSlots } from './load-slots.js';
import { settlingMetrics, type Metrics } from './metrics.js';
import type { ModelCompiler } from './model-compiler.js';
import { repositoryFor, type ModelRepository } from './model-repository.js';
import { UserCodePipelineBuilder } from './pipelines/user-code-builder.js';
import { ServableManager, type ServableManagerOptions } from './servable-manager.js';
import { StorageRepository } from './storage/storage-repository.js';
import { WarmUp, type AskOwners } from './warm-up.js';

/** Who reads the configuration, and where models come from. */
export interface OpenedServables {
  readonly manager: ServableManager;
  readonly repository: ModelRepository;
}

/** What of the server is there before its servables. */
export interface ServableSurroundings extends Pick<ServableManagerOptions, 'publish'> {
  readonly settings: ServerSettings;
  readonly binding: NativeBinding;
  readonly blocking: BlockingPool;
  readonly compiler: ModelCompiler;
  readonly metrics: Metrics;
  readonly askOwners: AskOwners;
  /** Has every owner worker close a model that it was asked about and that no snapshot will show. */
  readonly forgetModel: (modelId: number) => void;
  readonly slots: LoadSlots;
}

/**
 * A module of its own, because all that reads and checks configurations takes a sixth of a second to import: meanwhile the threads of
 * the server start.
 */
export function openServables(surroundings: ServableSurroundings): OpenedServables {
  const { settings, binding, blocking, compiler, metrics, publish, askOwners, forgetModel, slots } = surroundings;
  const repository = repositoryFor(new StorageRepository());
  const manager = new ServableManager({
    source: settlingMetrics(metrics, settings, configSource(settings.servables)),
    compiler,
    repository,
    slots,
    publish,
    warmUp: settings.warmUp === 'none' ? undefined : new WarmUp(settings.warmUp, askOwners, forgetModel),
    pipelineBuilder: new UserCodePipelineBuilder(new CustomNodeFactory(binding, blocking)),
  });
  return { manager, repository };
}

function configSource(source: ServablesSource): ConfigSource {
  if (source.kind === 'config-file') return configFileSource(resolve(source.path));
  return singleModelSource(source.flags, process.cwd());
}
