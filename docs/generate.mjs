/**
 * Writes what is documented of the configuration from what is checked: `config.schema.json` for editors and `configuration.md` for
 * readers, out of the built schema and flags; and `coverage.md` out of what the tests say they prove. Needs the built sources and
 * tests. `node docs/generate.mjs` writes them, `--check` only tells which are out of date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FLAG_GROUPS, FLAGS } from '../dist/config/flags.js';
import { coveragePage } from '../build/test/contract/page.js';
import { findProofs } from '../build/test/contract/proofs.js';
import { ConfigFile } from '../dist/config/schema.js';

const GENERATED = {
  'config.schema.json': schemaText,
  'configuration.md': pageText,
  'coverage.md': () => coveragePage(findProofs(new URL('../test/', import.meta.url))),
};

const UNFORMATTED = 'coverage.md';

/** What `dependencies` and `if` of the schema are written in. */
const DIALECT = 'http://json-schema.org/draft-07/schema#';

function schemaText() {
  return JSON.stringify({ $schema: DIALECT, ...ConfigFile }, null, 2);
}

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` of src/config/schema.ts and src/config/flags.ts: change those. -->

Every key of \`config.json\` and every flag of the command line. Unknown keys and wrong types are refused with the place of the fault.

[config.schema.json](config.schema.json) tells editors the same. \`config.json\` cannot name it itself (\`$schema\` would be an unknown key,
as in OVMS), so the editor is told: in Visual Studio Code by the setting
\`"json.schemas": [{ "fileMatch": ["config.json"], "url": "./node_modules/vinery/docs/config.schema.json" }]\`.`;

function pageText() {
  const objects = [...listObjects(ConfigFile)];
  const flags = Object.entries(FLAG_GROUPS).map(([group, heading]) => flagSection(heading, FLAGS[group]));
  return [INTRODUCTION, ...objects.map(objectSection), '## Command line', ...flags].join('\n\n');
}

/** The objects below a schema that have a title, each once, outer ones first. */
function listObjects(schema, found = new Map()) {
  if (typeof schema !== 'object' || schema === null) return found.values();
  if (schema.title !== undefined && !found.has(schema.title)) found.set(schema.title, schema);
  const { properties = {}, patternProperties = {}, items } = schema;
  for (const inner of [...Object.values(properties), ...Object.values(patternProperties), items]) {
    listObjects(inner, found);
  }
  return found.values();
}

function objectSection({ title, description, properties, required = [] }) {
  const head = [`## ${title}`, ...(description === undefined ? [] : [description])].join('\n\n');
  const keys = Object.entries(properties);
  if (keys.length === 0) return `${head} No keys.`;
  const rows = keys.map(([key, schema]) => [
    `\`${key}\``,
    typeText(schema),
    required.includes(key) ? 'required' : defaultText(schema.default),
    [schema.description ?? '', limitText(schema)].filter((text) => text !== '').join(' '),
  ]);
  return `${head}\n\n${table(['Key', 'Type', 'Default', 'Description'], rows)}`;
}

function flagSection(heading, flags) {
  const rows = Object.entries(flags).map(([name, { type, help, byDefault }]) => [
    `\`--${name}\``,
    type,
    defaultText(byDefault),
    help,
  ]);
  return `### ${heading[0].toUpperCase()}${heading.slice(1)}\n\n${table(['Flag', 'Type', 'Default', 'Description'], rows)}`;
}

function typeText(schema) {
  if (schema.title !== undefined) return `[${schema.title}](#${anchor(schema.title)})`;
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(', ');
  if (schema.items !== undefined) return `array of ${typeText(schema.items)}`;
  const values = schema.patternProperties?.['^(.*)$'] ?? schema.additionalProperties;
  return [schema.type ?? (values === undefined ? 'any' : 'object')]
    .flat()
    .map((type) => (type === 'object' && values?.type !== undefined ? `object of ${typeText(values)}` : type))
    .join(' or ');
}

function limitText({ type, minimum, maximum }) {
  if (minimum === undefined || ![type].flat().includes('integer')) return '';
  return maximum === undefined ? `At least ${minimum}.` : `${minimum} to ${maximum}.`;
}

function defaultText(value) {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** How GitHub names a heading in an address. */
function anchor(title) {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replace(/[|<]/g, '\\$&')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

const outdated = [];
for (const [name, makeText] of Object.entries(GENERATED)) {
  const path = fileURLToPath(new URL(name, import.meta.url));
  // The cells of a large table are not padded to the longest one.
  const text =
    name === UNFORMATTED
      ? `${makeText()}\n`
      : await format(makeText(), { ...(await resolveConfig(path)), filepath: path });
  if (text === (await readFile(path, 'utf8').catch(() => null))) continue;
  outdated.push(name);
  if (!process.argv.includes('--check')) await writeFile(path, text);
}
for (const name of outdated) console.log(`docs/${name}`);
if (process.argv.includes('--check') && outdated.length > 0) process.exitCode = 1;
