import { writeFile } from 'node:fs/promises';
import { loadNativeBinding } from '#src/native/load.js';
import { hasNativeClient } from './load/load-client.js';
import { readOptions, type ServingOptions } from './serving/options.js';
import { ratioPlots } from './serving/plot.js';
import { loadTable, scalingTable } from './serving/report.js';
import { measureRounds, type Series } from './serving/rounds.js';
import { withVariants } from './serving/variant.js';
import { Work } from './serving/work.js';
import { interruption } from './support/interruption.js';
import { MachineReport } from './support/machine.js';
import { OUTPUT } from './support/paths.js';

/**
 * What does serving cost, against the same pipeline in process and behind a minimal server in C++?
 * Exit code 1 when any call failed or any answer differed.
 */
try {
  await main(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`benchmark: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

interface Result {
  readonly work: Work;
  readonly series: readonly Series[];
}

async function main(options: ServingOptions): Promise<void> {
  const machine = new MachineReport();
  const signal = interruption();
  const results: Result[] = [];
  for (const name of options.sets) {
    const work = await Work.open(name, options.models);
    await withVariants(work, options, signal, async (variants) => {
      const progress = (line: string): void => void process.stderr.write(`${line}\n`);
      results.push({ work, series: await measureRounds(work, variants, options, progress) });
    });
  }
  await report(options, machine, results);
}

async function report(options: ServingOptions, machine: MachineReport, results: readonly Result[]): Promise<void> {
  // A check that it works must not replace an answer.
  const file = `${OUTPUT}serve${options.quick ? '.quick' : ''}`;
  const lines = [
    '# What does serving cost, against OpenVINO in process and a minimal server in C++?',
    '',
    ...machine.lines(loadNativeBinding().openvinoVersion()),
    `- ${options.rounds} rounds of ${options.seconds} s each; median (smallest–largest); every answer was checked`,
  ];
  if (!hasNativeClient()) {
    lines.push(
      '- Without grpc++: no server in C++, no open loop, and a load client in JavaScript, which costs far more',
    );
  }
  for (const { work, series } of results) {
    lines.push('', `## ${work.title}`, '', loadTable(series).toString(), '', scalingTable(series).toString());
    await writeFile(`${file}.${work.name}.svg`, ratioPlots(work.title, series));
  }
  const text = `${lines.join('\n')}\n`;
  process.stdout.write(`\n${text}`);
  await writeFile(`${file}.md`, text);
  const raw = results.map(({ work, series }) => ({ set: work.name, series }));
  await writeFile(`${file}.json`, `${JSON.stringify(raw, null, 1)}\n`);
  failOnFailures(results);
}

function failOnFailures(results: readonly Result[]): void {
  for (const { series } of results) {
    for (const { variant, rounds } of series) {
      for (const { failed, firstFailure } of rounds) {
        if ((failed ?? 0) === 0) continue;
        process.stderr.write(`benchmark: ${variant.name}: ${failed ?? 0} calls failed: ${firstFailure ?? 'unknown'}\n`);
        process.exitCode = 1;
      }
    }
  }
}
