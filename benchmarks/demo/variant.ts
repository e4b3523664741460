import type { NodeExecutor } from '#src/config/settings.js';
import { loadArguments, measureServer, timeLimitMs, type Load } from '../load/load-client.js';
import { parseMeasurement, type Measurement } from '../support/measurement.js';
import { OUTPUT, VINERY } from '../support/paths.js';
import { lastLineOf } from '../support/program.js';
import { ServerProcess } from '../support/server-process.js';
import type { DemoRepository, Hint } from './repository.js';

/** One way to run the pipeline. */
export interface Variant {
  readonly name: string;
  readonly hint: Hint;
  readonly inProcess: boolean;
  measure(load: Load): Promise<Measurement>;
  /** @throws Error when what runs does not end well */
  stop(): Promise<void>;
}

/** The pipeline in plain C++ without a server: a new process for each measurement. */
export function reference(repository: DemoRepository, hint: Hint, signal: AbortSignal): Variant {
  const args = [
    ...['--googlenet', repository.modelFile('googlenet'), '--resnet', repository.modelFile('resnet')],
    ...['--argmax', repository.modelFile('argmax'), '--pictures', repository.pictures, '--hint', hint],
  ];
  return {
    name: 'OpenVINO in process',
    hint,
    inProcess: true,
    measure: async (load) => {
      const limits = { signal, timeoutMs: timeLimitMs(load) };
      return parseMeasurement(
        await lastLineOf(`${OUTPUT}reference/reference`, [...args, ...loadArguments(load)], limits),
      );
    },
    stop: () => Promise.resolve(),
  };
}

/** The pipeline behind gRPC: one server for all measurements, idle while the others are measured. */
export async function server(
  repository: DemoRepository,
  hint: Hint,
  executor: NodeExecutor,
  signal: AbortSignal,
): Promise<Variant> {
  const args = ['--config_path', repository.config(hint), '--node_executor', executor];
  const process = await ServerProcess.start({ executable: VINERY, args }, signal);
  const name = `server, ${executor}`;
  return {
    name,
    hint,
    inProcess: false,
    measure: (load) => measureServer(process, repository.target, repository.pictures, load, signal),
    stop: async () => {
      const code = await process.stop();
      if (code !== 0) throw new Error(`${name}: expected the server to stop with exit code 0, got ${code ?? 'none'}`);
    },
  };
}
