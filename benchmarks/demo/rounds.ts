import type { Measurement } from '../support/measurement.js';
import type { DemoOptions } from './options.js';
import type { Variant } from './variant.js';

/** What one variant gave at one number of calls, round by round. */
export interface Series {
  readonly variant: Variant;
  readonly calls: number;
  readonly rounds: Measurement[];
}

/**
 * Measures every variant at every number of calls once a round, one after the other, so that whatever else the machine does meets
 * all of them alike. Each round begins with another variant: none always follows the same one.
 */
export async function measureRounds(
  variants: readonly Variant[],
  options: DemoOptions,
  progress: (line: string) => void,
): Promise<Series[]> {
  const series = options.calls.flatMap((calls) => variants.map((variant): Series => ({ variant, calls, rounds: [] })));
  const labels = new LabelCheck();
  for (let round = 0; round < options.rounds; round += 1) {
    for (const calls of options.calls) {
      const group = series.filter((one) => one.calls === calls);
      for (let place = 0; place < group.length; place += 1) {
        const { variant, rounds } = group[(place + round) % group.length]!;
        const what = `round ${round + 1} of ${options.rounds}, ${calls} calls, ${variant.name}, ${variant.hint}`;
        const measurement = await measure(what, variant, { ...options, calls });
        labels.check(what, measurement.labels);
        rounds.push(measurement);
        progress(`${what}: ${measurement.rate.toFixed(1)}/s`);
      }
    }
  }
  return series;
}

async function measure(what: string, variant: Variant, load: Parameters<Variant['measure']>[0]): Promise<Measurement> {
  try {
    return await variant.measure(load);
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A picture has one label, whoever is asked. */
class LabelCheck {
  readonly #labels: (number | null)[] = [];

  check(what: string, labels: readonly (number | null)[]): void {
    labels.forEach((label, picture) => {
      const known = this.#labels[picture] ?? null;
      if (label !== null && known !== null && label !== known) {
        throw new Error(`${what}: picture ${picture} was labelled ${label}, expected ${known} as from the others`);
      }
      this.#labels[picture] = label ?? known;
    });
  }
}
