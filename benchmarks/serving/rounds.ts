import { answeredNumber } from '../load/request-file.js';
import { hasNativeClient, type Load } from '../load/load-client.js';
import type { Measurement } from '../support/measurement.js';
import { spread } from '../support/statistics.js';
import type { ServingOptions } from './options.js';
import type { Variant } from './variant.js';
import type { Work } from './work.js';

/** What one variant gave under one load, round by round. */
export interface Series {
  readonly variant: Pick<Variant, 'name' | 'kind'>;
  readonly load: Load;
  readonly rounds: Measurement[];
}

/** The tiny pipeline also gets this many calls over one connection. */
const CROWD = { calls: 256, connections: 1 };

/**
 * Measures every variant under every load once a round, one after the other, so that whatever else the machine does meets all of them
 * alike. Each round begins with another variant: none always follows the same one. Closed loops come first: what the slowest server
 * reaches in those of the first round tells the rates of the open loops, which are the same for all.
 */
export async function measureRounds(
  work: Work,
  variants: readonly Variant[],
  options: ServingOptions,
  progress: (line: string) => void,
): Promise<Series[]> {
  const labels = new LabelCheck(work);
  const series: Series[] = [];
  const closed: Load[] = options.calls.map((calls) => ({ calls }));
  if (work.name === 'tiny') closed.push(CROWD);
  let open: Load[] = [];
  for (let round = 0; round < options.rounds; round += 1) {
    const measureAll = async (loads: readonly Load[]): Promise<void> => {
      for (const load of loads) {
        for (let place = 0; place < variants.length; place += 1) {
          const variant = variants[(place + round) % variants.length]!;
          const what = `${work.name}, round ${round + 1} of ${options.rounds}, ${loadText(load)}, ${variant.name}`;
          const measurement = await measure(what, variant, load, options);
          if (measurement === null) continue;
          if (variant.isChecked) labels.check(what, measurement, variant.labelOf);
          roundsOf(series, variant, load).push(measurement);
          progress(`${what}: ${measurement.rate.toFixed(1)}/s`);
        }
      }
    };
    await measureAll(closed);
    if (round === 0 && hasNativeClient()) open = openLoads(series, options);
    await measureAll(open);
  }
  return series;
}

export function loadText(load: Load): string {
  if ('rate' in load) return `open ${load.rate}/s`;
  return load.connections === undefined ? String(load.calls) : `${load.calls} on ${load.connections}`;
}

function openLoads(series: readonly Series[], { open }: ServingOptions): Load[] {
  const best = new Map<string, number>();
  for (const { variant, rounds } of series) {
    if (variant.kind === 'in process') continue;
    const { median } = spread(rounds.map(({ rate }) => rate));
    best.set(variant.name, Math.max(median, best.get(variant.name) ?? 0));
  }
  const slowest = Math.min(...best.values());
  // No server, no rate.
  if (slowest === Infinity) return [];
  return open.map((part) => ({ rate: Number((part * slowest).toPrecision(2)) }));
}

function roundsOf(series: Series[], { name, kind }: Variant, load: Load): Measurement[] {
  const known = series.find((one) => one.variant.name === name && one.load === load);
  if (known !== undefined) return known.rounds;
  const added: Series = { variant: { name, kind }, load, rounds: [] };
  series.push(added);
  return added.rounds;
}

async function measure(
  what: string,
  variant: Variant,
  load: Load,
  { warmUpSeconds, seconds }: ServingOptions,
): Promise<Measurement | null> {
  try {
    return await variant.measure({ ...load, warmUpSeconds, seconds });
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** An input has one label, whoever is asked. */
class LabelCheck {
  readonly #work: Work;
  readonly #labels: (number | null)[] = [];
  readonly #predicted = (answer: string): number => answeredNumber(this.#work.target, answer);

  constructor(work: Work) {
    this.#work = work;
  }

  check(what: string, { labels, answers }: Measurement, labelOf = this.#predicted): void {
    const read = (answer: string | null): number | null => (answer === null ? null : labelOf(answer));
    (labels ?? answers?.map(read) ?? []).forEach((label, input) => {
      const known = this.#labels[input] ?? null;
      if (label !== null && known !== null && label !== known) {
        throw new Error(`${what}: input ${input} was answered with ${label}, expected ${known} as from the others`);
      }
      this.#labels[input] = label ?? known;
    });
  }
}
