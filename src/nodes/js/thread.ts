/** Entry point of the threads of a pool: runs the executions of one generation of one module, one at a time. */
import { basename } from 'node:path';
import { workerData } from 'node:worker_threads';

import { configureLogging } from '../../observability/logger.js';
import type { NodeContext } from './api.js';
import { Board } from './board.js';
import { ModuleFault, textOf } from './module-fault.js';
import { registerSources, sourcesOf } from './module-hooks.js';
import { redirectConsole } from './node-console.js';
import { viewInputs } from './node-inputs.js';
import { NodeOutputs } from './node-outputs.js';
import { NodeStates, type NodeState } from './node-states.js';
import type {
  DeinitializeResult,
  ExecutedResult,
  ExecuteResult,
  ExecuteTask,
  NodeFault,
  ThreadData,
  ThreadTask,
} from './protocol.js';
import { importUserModule, type UserModule } from './user-module.js';

const thread = workerData as ThreadData;
const board = new Board(thread.board);
const states = new NodeStates();
let functions: UserModule | null = null;

if (thread.logging !== null) configureLogging(thread.logging);
redirectConsole(basename(thread.module));
registerSources(sourcesOf(thread.files));

/** Never rejects: what a node does wrong is told in the result. */
export default async function run(task: ThreadTask): Promise<ExecuteResult | DeinitializeResult> {
  if (task.kind === 'execute') return execute(task);
  // A module that was never loaded has no states.
  if (functions === null) return { faults: [] };
  return { faults: await states.deinitialize(task.nodes, functions, thread.deinitializeLimitMs) };
}

async function execute(task: ExecuteTask): Promise<ExecuteResult> {
  states.describe(task.node, task.description);
  if (!board.prepare(task.slot)) return { kind: 'withdrawn' };
  try {
    functions ??= await importUserModule(thread.module, thread.files);
  } catch (thrown) {
    return failed('JS_NODE_FAILED', thrown, 0, true);
  }
  let node: NodeState;
  try {
    node = await states.get(task.node, functions);
  } catch (thrown) {
    return failed('JS_NODE_FAILED', new ModuleFault(`initialize() threw: ${textOf(thrown)}`, { cause: thrown }), 0);
  }
  return call(task, node, functions);
}

async function call(task: ExecuteTask, node: NodeState, module: UserModule): Promise<ExecuteResult> {
  const { signature } = node.description;
  const inputs = viewInputs(task.inputs, signature.inputs);
  const outputs = new NodeOutputs(task, signature.outputs);
  board.execute(task.slot);
  const started = performance.now();
  let result: unknown;
  try {
    result = await module.execute(inputs.tensors, contextOf(node, outputs));
  } catch (thrown) {
    return failed('JS_NODE_FAILED', thrown, microsSince(started));
  } finally {
    board.executed(task.slot);
  }
  const micros = microsSince(started);
  try {
    return executed(outputs, result, micros, inputs.copiedBytes);
  } catch (thrown) {
    return failed('JS_NODE_OUTPUT_INVALID', thrown, micros);
  }
}

function contextOf({ description, state }: NodeState, outputs: NodeOutputs): NodeContext<unknown, unknown> {
  return {
    params: description.params,
    state,
    isWanted: (name) => outputs.isWanted(name),
    allocate: (name, shape) => outputs.allocate(name, shape) as never,
  };
}

function executed(outputs: NodeOutputs, result: unknown, micros: number, copiedBytes: number): ExecutedResult {
  const places = outputs.place(result);
  return {
    kind: 'executed',
    outputs: places,
    fresh: outputs.fresh,
    micros,
    copiedBytes: copiedBytes + outputs.copiedBytes,
  };
}

function failed(code: NodeFault['code'], thrown: unknown, micros: number, isThreadUseless = false): ExecuteResult {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : '';
  return { kind: 'failed', fault: { code, text: textOf(thrown), stack, micros, isThreadUseless } };
}

function microsSince(started: number): number {
  return Math.round((performance.now() - started) * 1000);
}
