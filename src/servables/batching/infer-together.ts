import { ServingError } from '../../errors.js';
import type { InferRequest, OutputTarget } from '../../inference/inference.js';
import type { BatchMetrics } from '../../observability/metrics/batch-metrics.js';
import type { Arena } from '../../tensors/arena.js';
import { joinRows, viewRows } from '../../tensors/rows.js';
import { formatShape } from '../../tensors/shape.js';
import { Tensor } from '../../tensors/tensor.js';
import { allocatedBytes, refusal, releaseAll, type InferredModel } from '../inference-session.js';
import { failed, runtimePort, type RuntimePort } from '../node-unit.js';
import type { BatchMember } from './batch.js';

/** A model version whose batch dimension was opened, in one owner worker. */
export interface BatchedModel extends InferredModel {
  readonly batches: BatchMetrics;
  /** One row of each output. */
  readonly rowPorts: readonly RuntimePort[];
}

export function rowPort({ info }: RuntimePort): RuntimePort {
  return runtimePort({ ...info, shape: info.shape.slice(1) });
}

/**
 * Infers the rows of some sessions at once. Inputs are joined by one copy each, those of a single session are read as they are; outputs
 * are written into one region and handed out as views of it. When that fails, each session is inferred by itself, because what is wrong
 * with one must not be another one's fault; one that nobody waits for any more just ends.
 *
 * @param request goes back to its pool before results are handed on.
 * @param retry infers a session by itself.
 */
export function inferTogether(
  model: BatchedModel,
  request: InferRequest,
  members: readonly BatchMember[],
  retry: (member: BatchMember) => void,
): void {
  new SharedInference(model, request, members, retry).start();
}

class SharedInference {
  readonly #model: BatchedModel;
  readonly #request: InferRequest;
  readonly #members: readonly BatchMember[];
  readonly #retry: (member: BatchMember) => void;
  readonly #arena: Arena;
  /** `null` for a single session whose inputs have no common number of rows. */
  readonly #rows: number | null;
  #inputs: readonly Tensor[] = [];
  #targets: readonly OutputTarget[] = [];

  constructor(
    model: BatchedModel,
    request: InferRequest,
    members: readonly BatchMember[],
    retry: (member: BatchMember) => void,
  ) {
    this.#model = model;
    this.#request = request;
    this.#members = members;
    this.#retry = retry;
    this.#arena = members[0]!.session.context.arena;
    this.#rows = members.reduce<number | null>(
      (sum, { rows }) => (sum === null || rows === null ? null : sum + rows),
      0,
    );
  }

  start(): void {
    this.#model.metrics.taken();
    for (const member of this.#members) this.#sessionStarted(member);
    const memory = this.#lease();
    if (memory !== null) return this.#failed(memory, 0, false);
    this.#request.infer(this.#inputs, this.#targets, (error, outputs, micros) => {
      if (error === null) this.#succeeded(outputs!, micros);
      else this.#failed(error, micros, true);
    });
  }

  #sessionStarted(member: BatchMember): void {
    if (member.hasStarted) return;
    member.hasStarted = true;
    const { session } = member;
    session.started();
    session.metrics.granted(this.#model.metrics, session.queueMicros);
  }

  /** @returns why memory could not be had; then none is leased. */
  #lease(): ServingError | null {
    const inputs: Tensor[] = [];
    const targets: OutputTarget[] = [];
    const { length } = this.#members[0]!.session.inputs;
    try {
      for (let port = 0; port < length; port += 1) {
        inputs.push(
          joinRows(
            this.#members.map(({ session }) => session.inputs[port]!),
            this.#arena,
          ),
        );
      }
      this.#model.rowPorts.forEach((port, index) => targets.push(this.#leaseOutput(port, index)));
    } catch (error) {
      releaseAll(inputs);
      releaseAll(targets);
      return new ServingError('OUT_OF_MEMORY', String(error), { cause: error });
    }
    this.#inputs = inputs;
    this.#targets = targets;
    return null;
  }

  #leaseOutput({ info, staticShape, staticBytes }: RuntimePort, output: number): OutputTarget {
    if (!this.#members.some(({ session }) => session.wanted[output] === true)) return 'discard';
    const rows = this.#rows;
    if (rows === null || staticShape === null) return 'allocate';
    return new Tensor(info.precision, [rows, ...staticShape], this.#arena.lease(rows * staticBytes));
  }

  #succeeded(outputs: readonly (Tensor | null)[], micros: number): void {
    const fault = this.#rowFault(outputs);
    if (fault !== null) {
      for (const output of outputs) output?.release();
      this.#targets = [];
      return this.#failed(fault, micros, true);
    }
    const { metrics, batches } = this.#model;
    metrics.inferred(micros);
    batches.inferred(this.#rows ?? this.#inputs[0]?.shape[0] ?? 0, this.#members.length);
    for (const { session } of this.#members) {
      session.metrics.succeeded(metrics);
      session.metrics.ended(metrics);
    }
    const copied = this.#copiedBytes(outputs);
    this.#giveBack();
    if (this.#members.length === 1) {
      return this.#members[0]!.session.ended({ error: null, outputs, micros, copiedBytes: copied });
    }
    const shares = this.#share(outputs);
    this.#members.forEach(({ session, rows }, index) => {
      const copiedBytes = Math.round((copied / this.#rows!) * rows!);
      session.ended({ error: null, outputs: shares[index]!, micros, copiedBytes });
    });
  }

  /** An output whose size only the inference told may have any. */
  #rowFault(outputs: readonly (Tensor | null)[]): ServingError | null {
    if (this.#members.length === 1) return null;
    const odd = outputs.findIndex((output) => output !== null && output.shape[0] !== this.#rows);
    if (odd === -1) return null;
    const { name } = this.#model.rowPorts[odd]!.info;
    const received = formatShape(outputs[odd]!.shape);
    return new ServingError('OUTPUT_RETRIEVAL_FAILED', `${name}: expected ${this.#rows} rows, received ${received}`);
  }

  /** All shares are made before the first session ends: what it starts may release them. */
  #share(outputs: readonly (Tensor | null)[]): readonly (readonly (Tensor | null)[])[] {
    outputs.forEach((output, index) => {
      const readers = this.#members.filter(({ session }) => session.wanted[index] === true).length;
      output?.retain(readers - 1);
    });
    let first = 0;
    return this.#members.map(({ session, rows }) => {
      const share = outputs.map((output, index) =>
        output === null || session.wanted[index] !== true ? null : viewRows(output, first, rows!),
      );
      first += rows!;
      return share;
    });
  }

  #copiedBytes(outputs: readonly (Tensor | null)[]): number {
    const own = this.#members[0]!.session.inputs;
    const joined = this.#inputs.reduce(
      (bytes, { lease, byteLength }, port) => (lease === own[port]!.lease ? bytes : bytes + byteLength),
      0,
    );
    return joined + allocatedBytes(this.#targets, outputs);
  }

  #failed(error: ServingError, micros: number, mayRetry: boolean): void {
    releaseAll(this.#targets);
    const isAlone = this.#members.length === 1;
    const isRetried = ({ abandoned }: BatchMember): boolean => mayRetry && !isAlone && abandoned === null;
    const over = this.#members.filter((member) => !isRetried(member));
    const retried = this.#members.filter(isRetried);
    for (const { session } of over) session.metrics.ended(this.#model.metrics);
    this.#giveBack();
    for (const { session, abandoned } of over) {
      const reason = isAlone ? error : (abandoned ?? new ServingError(error.code, error.detail, { cause: error }));
      session.ended(failed(refusal(reason, this.#model, session), micros));
    }
    for (const member of retried) this.#retry(member);
  }

  /** Whoever waited longer goes first. */
  #giveBack(): void {
    releaseAll(this.#inputs);
    const { metrics, pool } = this.#model;
    metrics.givenBack();
    pool.giveBack(this.#request);
  }
}
