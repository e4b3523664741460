import assert from 'node:assert/strict';
import { restCall } from './rest-client.js';

/** One scrape: the figure of each series, by its text up to the figure, for example `ovms_streams{name="m",version="1"}`. */
export class MetricsPage {
  readonly #figures: ReadonlyMap<string, number>;

  constructor(readonly text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.#figures = new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }

  /** Fails when there is no such series: it would exist at 0. @param labels in the order of their names. */
  figure(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const list = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const key = list.length === 0 ? name : `${name}{${list.join(',')}}`;
    return this.#figures.get(key) ?? assert.fail(`no ${key} in\n${this.text}`);
  }

  /** Series of a family whose text contains `part`, with their figures. */
  series(family: string, part = ''): readonly (readonly [string, number])[] {
    return [...this.#figures].filter(([key]) => key.startsWith(`${family}{`) && key.includes(part));
  }

  /** Names of the families, in the order of the page. */
  get families(): readonly string[] {
    return Array.from(this.text.matchAll(/^# TYPE (\S+) /gm), ([, name]) => name!);
  }
}

/** Scrapes a server whose metrics are on. */
export async function scrape(restPort: number): Promise<MetricsPage> {
  const { status, text } = await restCall(restPort, 'GET', '/metrics');
  assert.equal(status, 200, text);
  return new MetricsPage(text);
}
