import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

import { ServingError } from '../../errors.js';
import type { DescribeReport, DescribeTask } from './describe-thread.js';
import { textOf } from './module-fault.js';
import type { JsNodeReference } from './reference.js';

/** Milliseconds in which a module must have said what it is, its `initialize` and `deinitialize` included. */
export const DESCRIBE_LIMIT_MS = 60_000;

/**
 * Reads a module and asks it for its signature, in a thread of its own that ends with the answer: nothing of the module stays, and
 * whatever it does there does not touch this thread.
 *
 * @param module absolute path.
 * @param params of the node, plain data.
 * @param timeoutMs of one execution; only carried along.
 * @throws ServingError PIPELINE_JS_MODULE_INVALID with the path, what was expected and what was received
 */
export async function describeJsNode(
  module: string,
  params: unknown,
  timeoutMs: number,
  limitMs = DESCRIBE_LIMIT_MS,
): Promise<JsNodeReference> {
  const report = await ask({ module, params }, limitMs);
  if (report.kind === 'invalid') {
    throw new ServingError('PIPELINE_JS_MODULE_INVALID', `module: ${module}; ${report.text}`);
  }
  const { digest } = report.description;
  return {
    key: keyOf(module, digest, params, timeoutMs),
    module,
    params,
    timeoutMs,
    ...report.description,
  };
}

/** Equal for nodes that are the same in everything. */
function keyOf(...parts: readonly unknown[]): string {
  return `js:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

async function ask(task: DescribeTask, limitMs: number): Promise<DescribeReport> {
  const worker = new Worker(new URL('./describe-thread.js', import.meta.url), { workerData: task });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<DescribeReport>((resolve) => {
      const invalid = (text: string): void => resolve({ kind: 'invalid', text });
      worker.on('message', resolve);
      worker.on('error', (error) => invalid(`its thread failed: ${textOf(error)}`));
      worker.on('exit', (code) => invalid(`expected a description, but its thread ended with exit code ${code}`));
      timer = setTimeout(() => invalid(`expected a description within ${limitMs} ms, received none`), limitMs);
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
