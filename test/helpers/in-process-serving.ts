import { BlockingPool } from '#src/blocking/blocking-pool.js';
import { configFileSource } from '#src/control/config-source.js';
import { ModelCompiler } from '#src/control/model-compiler.js';
import { LOCAL_REPOSITORY, type ModelRepository } from '#src/control/model-repository.js';
import { ServableManager } from '#src/control/servable-manager.js';
import { UserCodePipelineBuilder } from '#src/control/pipelines/user-code-builder.js';
import { wholeMessage, type RpcCall } from '#src/frontends/rpc.js';
import { METHOD } from '#src/frontends/tfs/method.js';
import { tensorflowServingMethods } from '#src/frontends/tfs/service.js';
import { NativeInference } from '#src/inference/native-inference.js';
import { loadNativeBinding } from '#src/native/load.js';
import { CustomNodeFactory } from '#src/nodes/custom/custom-node-factory.js';
import { UserNodes } from '#src/nodes/user-nodes.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import type { ServablesSnapshot } from '#src/servables/snapshot.js';
import { WorkerServing } from '#src/servables/worker-serving.js';
import { Arena } from '#src/tensors/arena.js';

const CALL: Omit<RpcCall, 'signal' | 'arrived'> = {
  api: 'TensorFlowServing',
  interface: 'gRPC',
  wantsTimeline: false,
  setTrailer: () => undefined,
};

/** What an owner worker is made of, on the thread of the test, over the real addon. */
export interface InProcessServing {
  readonly arena: Arena;
  readonly serving: WorkerServing;
  /** One gRPC Predict from its bytes to the bytes of the answer. */
  predict(request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** Closes every model; throws when an infer request is still in use. */
  close(): Promise<void>;
}

/**
 * Loads a configuration. One at a time: a thread has one completion ring.
 *
 * @param wantsInline as `--node_executor adaptive` does, else `async`.
 */
export async function openInProcessServing(configPath: string, wantsInline = true): Promise<InProcessServing> {
  const { loaded, ...opened } = beginInProcessServing(configPath, wantsInline);
  const faults = await loaded;
  if (faults[0] !== undefined) throw faults[0];
  return opened;
}

/**
 * As {@link openInProcessServing}, without waiting for the servables.
 *
 * @param repository where the models come from.
 */
export function beginInProcessServing(
  configPath: string,
  wantsInline = true,
  repository: ModelRepository = LOCAL_REPOSITORY,
): InProcessServing & Pick<ServableManager, 'configured'> & { readonly loaded: ReturnType<ServableManager['load']> } {
  const binding = loadNativeBinding();
  const inference = new NativeInference(binding);
  const arena = new Arena(inference.memory);
  inference.useArena(arena);
  const userNodes = new UserNodes(arena, true, { level: 'ERROR', path: null });
  const blocking = new BlockingPool();
  const serving = new WorkerServing(
    inference,
    arena,
    (nireq) => nireq,
    (reference) => userNodes.open(reference),
    new WorkerMetrics(),
    blocking,
  );
  const predict = tensorflowServingMethods(serving).get(METHOD.PREDICT)!;
  const compiler = new ModelCompiler(binding, blocking, {
    cacheDir: null,
    inferenceThreads: null,
    backend: 'native',
    triesModels: true,
    nodeExecutor: wantsInline ? 'adaptive' : 'async',
  });
  const publish = (snapshot: ServablesSnapshot): Promise<void> => serving.apply(snapshot);
  const pipelineBuilder = new UserCodePipelineBuilder(new CustomNodeFactory(binding, blocking));
  const source = configFileSource(configPath);
  const manager = new ServableManager({ source, compiler, repository, publish, pipelineBuilder, patienceMs: 0 });
  return {
    loaded: manager.load(),
    configured: manager.configured,
    arena,
    serving,
    predict: async (request, signal = new AbortController().signal) =>
      wholeMessage(await predict(request, { ...CALL, arrived: performance.now(), signal })),
    close: async () => {
      serving.close();
      await userNodes.close();
      compiler.close();
      await blocking.close();
    },
  };
}
