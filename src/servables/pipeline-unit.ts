import type { Withdraw } from '../nodes/node-instance.js';
import { failed, runtimePort, type NodeUnit, type RuntimePort, type UnitSession } from './node-unit.js';
import { holdUnits, letUnitsGo, type Plan } from './plan.js';
import type { RunContext } from './run-context.js';
import { runPlan } from './run-plan.js';

/** A pipeline as a node of another one: an execution of its own over the same memory. Nothing is copied at its borders. */
export class PipelineUnit implements NodeUnit {
  readonly inputs: readonly RuntimePort[];
  readonly outputs: readonly RuntimePort[];
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.inputs = plan.inputs.map(runtimePort);
    this.outputs = plan.graph.outputs.map((port) => runtimePort(port.info));
  }

  hold(): void {
    holdUnits(this.#plan);
  }

  letGo(): void {
    letUnitsGo(this.#plan);
  }

  start(session: UnitSession): Withdraw {
    const { inputs, wanted, context } = session;
    session.started();
    const begun = performance.now();
    // The inner execution releases its inputs when it likes; the session keeps its own uses until it has ended.
    for (const tensor of inputs) tensor.retain(1);
    const inside = { ...context, around: session.name, targets: null };
    const execution = runPlan(this.#plan, inputs, inside, (error, outputs) => {
      const micros = Math.round((performance.now() - begun) * 1000);
      if (error !== null) return session.ended(failed(error, micros));
      this.#countSuccess(context);
      const kept = outputs!.map((tensor, index) => {
        if (wanted[index] === true) return tensor;
        tensor?.release();
        return null;
      });
      session.ended({ error: null, outputs: kept, micros, copiedBytes: 0 });
    });
    return (error) => execution.abort(error);
  }

  /** As a model inside a pipeline: a request of the caller's for each run that succeeds. */
  #countSuccess({ metrics, caller }: RunContext): void {
    metrics.servable(this.#plan.graph.name, this.#plan.version)?.succeeded(caller, 'predict');
  }
}
