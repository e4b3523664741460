import { quantile } from '../support/statistics.js';

/** CPU time so far, in microseconds. */
export interface CpuReading {
  readonly server: number;
  readonly client: number;
}

/** What a window has seen. Times in milliseconds, CPU in microseconds a request. */
export interface WindowFigures {
  readonly requests: number;
  readonly rate: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  readonly clientCpuMicros: number;
}

interface Moment {
  readonly milliseconds: number;
  readonly cpu: CpuReading;
}

/**
 * The part of a closed loop that is counted: from the first answer after the warm-up to the first one after `seconds` more. It
 * begins and ends at answers, so that slow requests are not counted by halves. The in-process reference measures in the same way.
 */
export class MeasuringWindow {
  readonly #readCpu: () => CpuReading;
  readonly #opensAt: number;
  readonly #lengthMs: number;
  readonly #latencies: number[] = [];
  #opened: Moment | null = null;
  #closed: Moment | null = null;

  constructor(warmUpSeconds: number, seconds: number, readCpu: () => CpuReading) {
    this.#readCpu = readCpu;
    this.#opensAt = performance.now() + warmUpSeconds * 1000;
    this.#lengthMs = seconds * 1000;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** A request that took this long was answered now. */
  add(latencyMs: number): void {
    if (this.#closed !== null) return;
    const now = performance.now();
    if (this.#opened === null) {
      if (now >= this.#opensAt) this.#opened = { milliseconds: now, cpu: this.#readCpu() };
      return;
    }
    this.#latencies.push(latencyMs);
    if (now - this.#opened.milliseconds >= this.#lengthMs) this.#closed = { milliseconds: now, cpu: this.#readCpu() };
  }

  /** Of a closed window. */
  figures(): WindowFigures {
    if (this.#opened === null || this.#closed === null) throw new Error('the window has not closed');
    const requests = this.#latencies.length;
    const sorted = this.#latencies.sort((a, b) => a - b);
    return {
      requests,
      rate: (requests * 1000) / (this.#closed.milliseconds - this.#opened.milliseconds),
      p50Ms: quantile(sorted, 0.5),
      p95Ms: quantile(sorted, 0.95),
      p99Ms: quantile(sorted, 0.99),
      cpuMicros: (this.#closed.cpu.server - this.#opened.cpu.server) / requests,
      clientCpuMicros: (this.#closed.cpu.client - this.#opened.cpu.client) / requests,
    };
  }
}
