import { spread } from '../support/statistics.js';
import { comparedWith, FIGURES, loadsOf, type Figure } from './report.js';
import { loadText, type Series } from './rounds.js';
import type { Kind } from './variant.js';

const PANEL = { width: 330, height: 240, left: 48, right: 12, top: 30, bottom: 40 };
const COLUMNS = 3;
const LEGEND_ROW = 18;
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#d55e00', '#cc79a7', '#56b4e9', '#8c6d31', '#666666', '#000000'];
const TITLES: Readonly<Record<Figure, string>> = {
  rate: 'rate',
  p50Ms: 'p50',
  p95Ms: 'p95',
  p99Ms: 'p99',
  cpuMicros: 'CPU a request',
};

/** A line of a panel: median ratios by place on the x axis. */
interface Line {
  readonly name: string;
  readonly points: readonly (readonly [place: number, ratio: number])[];
}

/**
 * One SVG of five panels: the figures of every server over those of the in-process reference, or of the server in C++ where there is no
 * such reference, by calls in flight. The axes are logarithmic: half and twice as much are equally far from 1.
 */
export function ratioPlots(title: string, series: readonly Series[]): string {
  const kind: Kind = series.some(({ variant }) => variant.kind === 'in process') ? 'in process' : 'C++ server';
  const loads = loadsOf(series).filter((load) => 'calls' in load && load.connections === undefined);
  const names = [...new Set(series.map(({ variant }) => variant.name))];
  const linesOf = (figure: Figure): Line[] =>
    names.map((name) => {
      const points = loads.flatMap((load, place): [number, number][] => {
        const one = series.find((other) => other.load === load && other.variant.name === name);
        const ratios = one === undefined ? null : comparedWith(kind, one, series, figure);
        return ratios === null ? [] : [[place, spread(ratios).median]];
      });
      return { name, points };
    });
  const panels = FIGURES.map((figure) => ({ figure, lines: linesOf(figure) }));
  const shown = names.filter((name) =>
    panels.some(({ lines }) => lines.some((line) => line.name === name && line.points.length > 0)),
  );
  const colour = (name: string): string => COLOURS[shown.indexOf(name) % COLOURS.length]!;
  const places = loads.map(loadText);
  const drawn = panels.map(({ figure, lines }, at) => {
    const x = (at % COLUMNS) * PANEL.width;
    const y = 24 + Math.floor(at / COLUMNS) * PANEL.height;
    const heading = `${TITLES[figure]} / ${kind}`;
    return `<g transform="translate(${x},${y})">${panel(heading, places, lines, colour)}</g>`;
  });
  // The legend takes the place of the sixth panel.
  const legend = shown.map((name, row) => {
    const y = 24 + PANEL.height + PANEL.top + row * LEGEND_ROW;
    const x = 2 * PANEL.width + PANEL.left;
    const line = `<line x1="${x}" y1="${y}" x2="${x + 24}" y2="${y}" stroke="${colour(name)}" stroke-width="2"/>`;
    return `${line}${text(x + 30, y + 4, name)}`;
  });
  const width = COLUMNS * PANEL.width;
  const height = 24 + PANEL.height + Math.max(PANEL.height, PANEL.top + shown.length * LEGEND_ROW);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    text(12, 16, title, 'font-weight="bold"'),
    ...drawn,
    ...legend,
    '</svg>\n',
  ].join('\n');
}

function panel(
  heading: string,
  places: readonly string[],
  lines: readonly Line[],
  colour: (name: string) => string,
): string {
  const ratios = lines.flatMap(({ points }) => points.map(([, ratio]) => ratio));
  const low = Math.floor(Math.log2(Math.min(1, ...ratios)));
  const high = Math.max(low + 1, Math.ceil(Math.log2(Math.max(1, ...ratios))));
  const right = PANEL.width - PANEL.right;
  const bottom = PANEL.height - PANEL.bottom;
  const x = (place: number): number => PANEL.left + ((place + 0.5) * (right - PANEL.left)) / places.length;
  const y = (ratio: number): number =>
    Number((bottom - ((Math.log2(ratio) - low) * (bottom - PANEL.top)) / (high - low)).toFixed(1));
  const parts = [text(PANEL.left, PANEL.top - 10, heading)];
  for (let power = low; power <= high; power += 1) {
    const at = y(2 ** power);
    const stroke = power === 0 ? '#444' : '#ddd';
    parts.push(`<line x1="${PANEL.left}" y1="${at}" x2="${right}" y2="${at}" stroke="${stroke}"/>`);
    parts.push(text(PANEL.left - 6, at + 4, power < 0 ? `1/${2 ** -power}` : String(2 ** power), 'text-anchor="end"'));
  }
  places.forEach((place, at) => parts.push(text(x(at), bottom + 16, place, 'text-anchor="middle"')));
  parts.push(text((PANEL.left + right) / 2, bottom + 32, 'calls in flight', 'text-anchor="middle"'));
  for (const { name, points } of lines) {
    const path = points.map(([place, ratio]) => `${x(place).toFixed(1)},${y(ratio)}`);
    parts.push(`<polyline points="${path.join(' ')}" fill="none" stroke="${colour(name)}" stroke-width="1.5"/>`);
    for (const [place, ratio] of points) {
      parts.push(`<circle cx="${x(place).toFixed(1)}" cy="${y(ratio)}" r="2.5" fill="${colour(name)}"/>`);
    }
  }
  return parts.join('');
}

function text(x: number, y: number, words: string, attributes = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
