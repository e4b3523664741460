import { CHAPTERS } from './rows/index.js';
import type { Proof } from './proofs.js';
import type { Row } from './row.js';

const INTRODUCTION = `# What of OVMS 2026.2.1 Vinery covers

<!-- Made by \`npm run docs\` of test/contract/rows and of the tests that name them: change those. -->

One row for each thing that a user of OpenVINO Model Server 2026.2.1 can rely on: whether Vinery does the same, differs by choice (and why), or
does not have it, and the tests that show it. The table is made of the tests; a supported row without a test fails the build.`;

/** So many titles of one file stand in one cell. */
const MOST_TITLES = 3;

const STATES = { supported: 'yes', different: 'different by choice', unsupported: 'no' } as const;

/** The text of `docs/coverage.md` (unformatted Markdown) for what the tests cover. */
export function coveragePage(proofs: ReadonlyMap<string, readonly Proof[]>): string {
  const all = CHAPTERS.flatMap(({ rows }) => Object.values(rows));
  const count = (state: Row['state']): number => all.filter((row) => row.state === state).length;
  const total = `${all.length} rows: ${count('supported')} supported, ${count('different')} different by choice, ${count('unsupported')} not there.`;
  const chapters = CHAPTERS.filter(({ rows }) => Object.keys(rows).length > 0).map(({ title, rows }) => {
    const lines = Object.entries(rows).map(([id, row]) => line(row, proofs.get(id) ?? []));
    return [`## ${title}`, ['| OVMS | Vinery | Shown by |', '| --- | --- | --- |', ...lines].join('\n')].join('\n\n');
  });
  return [INTRODUCTION, total, ...chapters].join('\n\n');
}

function line({ what, state, why }: Row, proofs: readonly Proof[]): string {
  const files = new Map<string, string[]>();
  for (const { file, title } of proofs) files.set(file, [...(files.get(file) ?? []), ...(title ? [title] : [])]);
  const shown = [...files].map(([file, titles]) => {
    const link = `[${file.replace('test/', '').replace('.test.ts', '')}](../${file})`;
    const named = titles.slice(0, MOST_TITLES).map(escape).join('; ');
    const more = titles.length > MOST_TITLES ? `; ${titles.length - MOST_TITLES} more` : '';
    return titles.length === 0 ? link : `${link}: ${named}${more}`;
  });
  const answer = why === undefined ? STATES[state] : `${STATES[state]}: ${why}`;
  return `| ${[what, answer, shown.join('<br>')].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** Titles are plain text, not Markdown. */
function escape(title: string): string {
  return title.replace(/[\\`*_<>[\]]/g, '\\$&');
}
