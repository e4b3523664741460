import { parentPort, workerData } from 'node:worker_threads';
import { awaitTurn, binding, newSlab, registerSlab, specification, startCustomNode, TestRequest } from './support.js';

/** What the tests of threads have their workers do. */
export type WorkerTask =
  | { readonly kind: 'infer'; readonly modelId: number; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'compile'; readonly modelId: number; readonly path: string }
  | { readonly kind: 'turns'; readonly modelId: number; readonly sequenceId: bigint }
  | { readonly kind: 'hold'; readonly path: string }
  | {
      readonly kind: 'execute';
      readonly customNodeId: number;
      readonly executions: number;
      readonly shape: readonly number[];
      /** Again and again, so that executions are under way whenever the worker is terminated. */
      readonly again: boolean;
    }
  | { readonly kind: 'flood'; readonly modelId: number; readonly buffer: SharedArrayBuffer; readonly size: number };

export interface WorkerReport {
  readonly modelId: number;
  readonly addresses: readonly bigint[];
  readonly started: number;
}

const task = workerData as WorkerTask;
const NOTHING: WorkerReport = { modelId: 0, addresses: [], started: 0 };
const tell = (report: Partial<WorkerReport>): void => parentPort!.postMessage({ ...NOTHING, ...report });

switch (task.kind) {
  case 'infer': {
    const slab = registerSlab(task.buffer);
    const input = { slab: slab.id, offset: 0, shape: [1, 10] };
    const request = new TestRequest(binding.openModel(task.modelId), input, { ...input, offset: 64 });
    await request.start();
    tell({ addresses: [0, 1].map((port) => binding.tensorAddress(request.handle, port)) });
    break;
  }
  case 'compile':
    binding.compileModel(task.modelId, specification(task.path));
    break;
  case 'turns': {
    const model = binding.openModel(task.modelId);
    // Both handles are lost with the thread, one turn granted and one awaited.
    const turns = [1, 0].map((control) => binding.enterSequence(model, task.sequenceId, control));
    void awaitTurn(turns[1]!);
    tell({ started: binding.inFlight() });
    // Held until then, or a garbage collection might give the turns back before the thread ends.
    parentPort!.once('message', () => tell({ started: turns.length }));
    break;
  }
  case 'hold': {
    const modelId = binding.reserveModel();
    binding.compileModel(modelId, specification(task.path));
    tell({ modelId });
    parentPort!.once('message', () => undefined);
    break;
  }
  case 'execute': {
    const node = binding.openCustomNode(task.customNodeId);
    // Memory that goes with the worker, so that a sanitizer sees who reads it too late.
    const slab = newSlab(64 * 1024);
    const input = { slab: slab.id, offset: 0, shape: task.shape };
    const execute = async (): Promise<void> => {
      do {
        const { handle, outcome } = startCustomNode(node, input);
        await outcome;
        binding.closeCustomExecution(handle);
      } while (task.again);
    };
    for (let count = 0; count < task.executions; count++) void execute();
    tell({ started: binding.inFlight() });
    break;
  }
  case 'flood': {
    const slab = registerSlab(task.buffer);
    const matrix = task.size * task.size * 4;
    const shape = [task.size, task.size];
    const model = binding.openModel(task.modelId);
    for (let index = 0; index < 4; index++) {
      const output = { slab: slab.id, offset: (index + 1) * matrix, shape };
      const request = new TestRequest(model, { slab: slab.id, offset: 0, shape }, output);
      // Again and again, so that inferences are in flight whenever the worker is terminated.
      const again = (): void => void request.start().then(again);
      again();
    }
    tell({ started: binding.inFlight() });
    break;
  }
}
