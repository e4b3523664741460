import { availableParallelism, cpus, loadavg } from 'node:os';

/** Without these no figure means anything. One line each, for text and Markdown. */
export class MachineReport {
  readonly #began = new Date();
  readonly #loadBefore = loadText();

  /** Call when all was measured: the load average afterwards holds the benchmark itself, too. */
  lines(openvinoVersion: string): string[] {
    return [
      `- Machine: ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores`,
      `- Load average (1, 5, 15 minutes) before: ${this.#loadBefore}; after, the benchmark's own load included: ${loadText()}`,
      `- Node ${process.version}, OpenVINO ${openvinoVersion}`,
      `- ${this.#began.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    ];
  }
}

function loadText(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(', ');
}
