import type { BatchingSettings } from '#src/config/settings.js';
import type { ServingError } from '#src/errors.js';
import type { InferenceDone, InferRequest, OutputTarget } from '#src/inference/inference.js';
import { InferRequestPool } from '#src/inference/infer-request-pool.js';
import type { Withdraw } from '#src/nodes/node-instance.js';
import { MetricsBook } from '#src/observability/metrics/metrics-book.js';
import { ExecutionMetrics } from '#src/observability/metrics/execution-metrics.js';
import { WorkerMetrics } from '#src/observability/metrics/worker-metrics.js';
import type { BatchClock } from '#src/servables/batching/batch-clock.js';
import { Batcher } from '#src/servables/batching/batcher.js';
import { rowPort } from '#src/servables/batching/infer-together.js';
import { runtimePort, type SessionEnd, type UnitSession } from '#src/servables/node-unit.js';
import type { RunContext } from '#src/servables/run-context.js';
import { RunningExecutions } from '#src/servables/running-executions.js';
import { Arena } from '#src/tensors/arena.js';
import { elementCount, type PartialShape, type Shape } from '#src/tensors/shape.js';
import { Tensor } from '#src/tensors/tensor.js';
import type { TensorInfo } from '#src/tensors/tensor-info.js';
import { FakeRegistrar } from '../../tensors/fake-registrar.js';

/** A clock that stands still until the test moves it. */
export class FakeClock implements BatchClock {
  #time = 0;
  #soon: (() => void)[] = [];
  readonly #waits = new Set<{ readonly moment: number; readonly work: () => void }>();

  now(): number {
    return this.#time;
  }

  soon(work: () => void): void {
    this.#soon.push(work);
  }

  at(moment: number, work: () => void): () => void {
    const wait = { moment, work };
    this.#waits.add(wait);
    return () => this.#waits.delete(wait);
  }

  /** Ends what runs now. */
  turn(): void {
    while (this.#soon.length > 0) for (const work of this.#soon.splice(0)) work();
  }

  /** Ends what runs now, and lets time pass. */
  pass(milliseconds: number): void {
    this.turn();
    this.#time += milliseconds;
    for (const wait of [...this.#waits]) {
      if (wait.moment > this.#time || !this.#waits.delete(wait)) continue;
      wait.work();
      this.turn();
    }
  }

  /** Timers that are set. */
  get waits(): number {
    return this.#waits.size;
  }
}

/** A session as the test has sent it. */
export interface Sent {
  readonly withdraw: Withdraw;
  /** `null` until it has ended. */
  end: SessionEnd | null;
  starts: number;
}

/** An inference that runs until the test ends it. */
export interface Running {
  /** Of the first input. */
  readonly shape: Shape;
  /** Elements of the first input. */
  readonly values: readonly number[];
  /** Whether the first input is read where the session has it. */
  readonly inputs: readonly Tensor[];
  /** Ends it: each output has the elements of the first input plus one; or the error. */
  finish(error?: ServingError): void;
}

export interface RigOptions extends Partial<BatchingSettings> {
  readonly nireq?: number;
  /** Shape of inputs and outputs, U8; any number of rows of two when absent. */
  readonly shape?: PartialShape;
  readonly inputs?: readonly string[];
  /** Whether a model is called by itself and not in a pipeline. */
  readonly isDirect?: boolean;
  /** What an output that the inference allocates looks like, of a batch. */
  readonly allocatedShape?: (shape: Shape) => Shape;
}

const OPEN = { min: 0, max: Infinity };
const ROWS_OF_TWO: PartialShape = [OPEN, { min: 2, max: 2 }];

/** A batcher over a model that adds one, with a clock and inferences in the hands of the test. */
export class Rig {
  readonly clock = new FakeClock();
  readonly arena = new Arena(new FakeRegistrar());
  readonly running: Running[] = [];
  readonly pool: InferRequestPool;
  readonly book = new MetricsBook();
  readonly #batcher: Batcher;
  readonly #metrics: ExecutionMetrics;
  readonly #names: readonly string[];
  readonly #allocatedShape: (shape: Shape) => Shape;

  constructor({
    nireq = 1,
    shape = ROWS_OF_TWO,
    inputs = ['b'],
    isDirect = false,
    allocatedShape = (same) => same,
    ...settings
  }: RigOptions = {}) {
    this.#names = inputs;
    this.#allocatedShape = allocatedShape;
    const info: TensorInfo = { name: 'b', precision: 'U8', shape, layout: 'N...' };
    const outputs = ['a', 'c'].map((name) => runtimePort({ ...info, name }));
    this.book.learn(
      [
        { kind: 'model', name: 'm', version: 1 },
        { kind: 'batching', name: 'm', version: 1 },
      ],
      [],
    );
    const metrics = new WorkerMetrics();
    metrics.adopt(this.book.open().grow());
    this.#metrics = new ExecutionMetrics({ api: 'KServe', interface: 'gRPC' }, isDirect ? null : []);
    this.pool = new InferRequestPool(Array.from({ length: nireq }, () => this.#inferRequest()));
    const model = {
      pool: this.pool,
      outputs,
      rowPorts: outputs.map(rowPort),
      metrics: metrics.model('m', 1),
      batches: metrics.batches('m', 1),
      isAuto: false,
    };
    const ports = inputs.map((name) => runtimePort({ ...info, name }));
    this.#batcher = new Batcher(
      model,
      ports,
      { maxBatchSize: 4, maxQueueDelayMicros: 0, preferredBatchSizes: [], ...settings },
      this.clock,
    );
  }

  /** Sends rows of two; `wanted` says which outputs are read. */
  send(values: readonly number[], wanted: readonly boolean[] = [true, false]): Sent {
    return this.sendTensors(
      this.#names.map(() => this.tensor([values.length / 2, 2], values)),
      wanted,
    );
  }

  /** As {@link send}, of other shapes; the inputs are taken over. */
  sendTensors(inputs: readonly Tensor[], wanted: readonly boolean[] = [true, false]): Sent {
    const sent: { end: SessionEnd | null; starts: number } = { end: null, starts: 0 };
    const session: UnitSession = {
      name: { node: 'node', session: '' },
      inputs,
      wanted,
      targets: null,
      context: this.#context(),
      metrics: this.#metrics,
      queueMicros: 5,
      started: () => (sent.starts += 1),
      ended: (end) => {
        if (sent.end !== null) throw new Error('a session ended twice');
        sent.end = end;
        for (const input of inputs) input.release();
      },
    };
    const withdraw = this.#batcher.start(session);
    return Object.assign(sent, { withdraw });
  }

  tensor(shape: Shape, values: readonly number[]): Tensor {
    const tensor = new Tensor('U8', shape, this.arena.lease(values.length));
    tensor.bytes.set(values);
    return tensor;
  }

  /** What a session got for its output `a`, whose use it gives back; the error's code when it failed; `null` when it has not ended. */
  answer(sent: Sent, output = 0): readonly number[] | string | null {
    if (sent.end === null) return null;
    if (sent.end.error !== null) return sent.end.error.code;
    const tensor = sent.end.outputs[output]!;
    const values = Array.from(tensor.bytes);
    tensor.release();
    return values;
  }

  /** Numbers of rows of the inferences that run. */
  get sizes(): readonly number[] {
    return this.running.map(({ shape }) => shape[0]!);
  }

  /** Ends all inferences, those that start meanwhile too. */
  finishAll(): void {
    while (this.running.length > 0) {
      this.running[0]!.finish();
      this.clock.turn();
    }
  }

  #context(): RunContext {
    return {
      arena: this.arena,
      metrics: new WorkerMetrics(),
      executions: new RunningExecutions(),
      caller: { api: 'KServe', interface: 'gRPC' },
      timeline: null,
      around: null,
      targets: null,
      turn: null,
    };
  }

  #inferRequest(): InferRequest {
    return {
      infer: (inputs, outputs, done) => {
        const [first] = inputs;
        const running: Running = {
          shape: first!.shape,
          values: Array.from(first!.bytes),
          inputs,
          finish: (error) => {
            this.running.splice(this.running.indexOf(running), 1);
            if (error !== undefined) done(error, null, 3);
            else this.#finish(first!, outputs, done);
          },
        };
        this.running.push(running);
      },
      close: () => undefined,
    };
  }

  #finish(input: Tensor, targets: readonly OutputTarget[], done: InferenceDone): void {
    const results = targets.map((target) => {
      if (target === 'discard') return null;
      const shape = this.#allocatedShape(input.shape);
      const tensor =
        target === 'allocate' ? this.tensor(shape, new Array<number>(elementCount(shape)!).fill(0)) : target;
      tensor.bytes.set(Array.from(input.bytes, (value) => value + 1).slice(0, tensor.byteLength));
      return tensor;
    });
    done(null, results, 3);
  }
}
