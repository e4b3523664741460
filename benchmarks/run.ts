import { writeFile } from 'node:fs/promises';
import { readOptions, type DemoOptions } from './demo/options.js';
import { demoTable } from './demo/report.js';
import { DemoRepository } from './demo/repository.js';
import { measureRounds, type Series } from './demo/rounds.js';
import { reference, server, type Variant } from './demo/variant.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';

/**
 * What does the demo pipeline cost, against OpenVINO in process, at 1, 4 and 16 calls, with each node executor?
 * Exit code 1 when any call failed or any answer differed.
 */
try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`benchmark: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(options: DemoOptions): Promise<void> {
  const machine = new MachineReport();
  const signal = interruption();
  const repository = await DemoRepository.open(options.models);
  await withVariants(repository, signal, async (variants) => {
    const series = await measureRounds(variants, options, (line) => void process.stderr.write(`${line}\n`));
    await report(options, machine, series);
  });
}

/** Starts what is compared, and stops it however `use` ends. @throws Error also when one of the servers does not stop well */
async function withVariants(
  repository: DemoRepository,
  signal: AbortSignal,
  use: (variants: readonly Variant[]) => Promise<void>,
): Promise<void> {
  const variants: Variant[] = [];
  const stop = (): Promise<PromiseSettledResult<void>[]> =>
    Promise.allSettled(variants.map((variant) => variant.stop()));
  try {
    variants.push(reference(repository, 'LATENCY', signal));
    variants.push(await server(repository, 'LATENCY', 'adaptive', signal));
    variants.push(await server(repository, 'LATENCY', 'piscina', signal));
    variants.push(reference(repository, 'THROUGHPUT', signal));
    variants.push(await server(repository, 'THROUGHPUT', 'adaptive', signal));
    await use(variants);
  } catch (error) {
    await stop();
    throw error;
  }
  const failed = (await stop()).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function report(options: DemoOptions, machine: MachineReport, series: readonly Series[]): Promise<void> {
  const openvino = series.flatMap(({ rounds }) => rounds).find((round) => round.openvino !== undefined)?.openvino;
  const text = [
    '# What does the demo pipeline cost, against OpenVINO in process?',
    '',
    ...machine.lines(openvino ?? 'unknown'),
    `- ${options.rounds} rounds of ${options.seconds} s each; median (smallest–largest); every answer was checked`,
    '',
    demoTable(series).toString(),
    '',
  ].join('\n');
  process.stdout.write(`\n${text}`);
  // A check that it works must not replace an answer.
  const name = `${OUTPUT}demo-pipeline${options.quick ? '.quick' : ''}`;
  await writeFile(`${name}.md`, text);
  const raw = series.map(({ variant: { name, hint }, calls, rounds }) => ({ name, hint, calls, rounds }));
  await writeFile(`${name}.json`, `${JSON.stringify(raw, null, 1)}\n`);
}
