import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { init, parse } from 'es-module-lexer';

import type { JsNodeFile } from './reference.js';
import { stripTypes } from './strip-types.js';

const FORMATS: Readonly<Record<string, JsNodeFile['format']>> = {
  '.ts': 'module',
  '.mts': 'module',
  '.js': 'module',
  '.mjs': 'module',
  '.json': 'json',
};
const MISSING = 'missing';

/**
 * Reads a module and what it imports by relative path, statically or by `import('./a literal')`. Files that are not there are left
 * out: importing the module tells of them better.
 *
 * @returns the files sorted by path, and the digest that {@link jsNodeDigest} gives while none of them changes.
 * @throws ModuleFault with file, line and column when TypeScript cannot be read
 */
export async function collectModuleFiles(module: string): Promise<{ files: JsNodeFile[]; digest: string }> {
  await init();
  const found = new Map<string, JsNodeFile & { readonly hash: string }>();
  const waiting = [module];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    const content = await readOrNull(path);
    if (content === null) continue;
    const file = toFile(path, content);
    found.set(path, { ...file, hash: sha256(content) });
    if (file.format === 'module') waiting.push(...(await relativeImports(file.source!, path)));
  }
  const sorted = [...found.values()].sort(byPath);
  return {
    files: sorted.map(({ path, format, source }) => ({ path, format, source })),
    digest: combine(sorted),
  };
}

/** Digest of the files as they are on disk now: differs from the reference's when any has changed or is gone. */
export async function jsNodeDigest(files: readonly Pick<JsNodeFile, 'path'>[]): Promise<string> {
  const hashes = await Promise.all(
    files.map(async ({ path }) => {
      const content = await readOrNull(path);
      return { path, hash: content === null ? MISSING : sha256(content) };
    }),
  );
  return combine(hashes.sort(byPath));
}

function toFile(path: string, content: Buffer): JsNodeFile {
  const extension = extname(path);
  const format = FORMATS[extension] ?? null;
  if (format === null) return { path, format, source: null };
  const text = content.toString('utf8');
  return { path, format, source: extension.endsWith('ts') ? stripTypes(text, path) : text };
}

/** Absolute paths, existing or not. A text that is no JavaScript imports nothing; importing it says what is wrong. */
async function relativeImports(source: string, path: string): Promise<string[]> {
  const paths = specifiers(source).flatMap((specifier) => candidates(specifier, path));
  return Promise.all(paths.map(firstThere)).then((found) => found.filter((file) => file !== null));
}

function specifiers(source: string): string[] {
  try {
    const [imports] = parse(source);
    return imports.flatMap(({ type, specifier }) =>
      type === 'import-meta' || specifier === undefined ? [] : specifier,
    );
  } catch {
    return [];
  }
}

/** The file an import names, and the TypeScript it may have been compiled from: nothing for packages. */
function candidates(specifier: string, importer: string): string[][] {
  const url = relativeUrl(specifier, pathToFileURL(importer).href);
  return url === null ? [] : [[url, ...typescriptOf(url)].map((candidate) => fileURLToPath(candidate))];
}

async function firstThere(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) if ((await readOrNull(path)) !== null) return path;
  return null;
}

/** The `file:` URL of a relative or absolute specifier, `null` for packages and for what has a query. */
export function relativeUrl(specifier: string, importer: string): string | null {
  if (!/^(\.\.?\/|\/|file:)/.test(specifier)) return null;
  const url = new URL(specifier, importer);
  return url.protocol === 'file:' && url.search === '' && url.hash === '' ? url.href : null;
}

/** `x.js` may be the name that `x.ts` will have once it is compiled, as TypeScript's own resolution has it. */
export function typescriptOf(url: string): string[] {
  return /\.m?js$/.test(url) ? [url.replace(/js$/, 'ts')] : [];
}

async function readOrNull(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch {
    return null;
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function combine(files: readonly { readonly path: string; readonly hash: string }[]): string {
  return sha256(files.map(({ path, hash }) => `${path}\0${hash}\n`).join(''));
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
