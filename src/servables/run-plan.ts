import { Execution, type ExecutionListener } from '../dag/execution.js';
import type { Tensor } from '../tensors/tensor.js';
import { PlanRunner } from './node-runner.js';
import { holdUnits, letUnitsGo, type Plan } from './plan.js';
import type { RunContext } from './run-context.js';

/**
 * Runs a plan once. Everything it needs is held from before the first node starts until the last one has ended, which after an early
 * exit is later than `ended`.
 *
 * @param inputs in the order of the plan's inputs, one use each, which the execution takes over.
 */
export function runPlan(
  plan: Plan,
  inputs: readonly Tensor[],
  context: RunContext,
  ended: ExecutionListener<Tensor>['ended'],
): Execution<Tensor> {
  holdUnits(plan);
  context.executions.began();
  const execution = new Execution<Tensor>(plan.graph, plan.layout, new PlanRunner(plan, context), {
    ended,
    drained: () => {
      letUnitsGo(plan);
      context.executions.drained();
    },
  });
  execution.begin(inputs);
  return execution;
}
