import nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';

import { relativeUrl, typescriptOf } from './module-files.js';
import type { JsNodeFile } from './reference.js';

/** What the hooks serve: the text of each file by its URL. Crosses threads by structured clone. */
export type Sources = ReadonlyMap<string, { readonly format: 'module' | 'json'; readonly source: string }>;

export interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}
export interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: boolean;
}
type NextResolve = (specifier: string, context: ResolveContext) => unknown;
type NextLoad = (url: string, context: unknown) => unknown;
interface ResolveContext {
  readonly parentURL?: string | undefined;
}

/** How nodes import what this package offers them, wherever their files lie. */
const OWN_ENTRY = 'vinery/node';
const OWN_ENTRY_URL = new URL('./api.js', import.meta.url).href;

export function sourcesOf(files: readonly JsNodeFile[]): Sources {
  return new Map(
    files.flatMap(({ path, format, source }) =>
      format === null || source === null ? [] : [[pathToFileURL(path).href, { format, source }]],
    ),
  );
}

/**
 * Makes this thread read the files of a node's module from memory. Node.js 24 calls hooks on the thread itself; Node.js 20 starts a
 * thread of its own for them (about 50 ms and 8 MB each, measured), with the same effect.
 */
export function registerSources(sources: Sources): void {
  if ('registerHooks' in nodeModule) {
    (nodeModule as { registerHooks(hooks: object): void }).registerHooks({
      resolve: (specifier: string, context: ResolveContext, next: NextResolve) =>
        resolveFrom(sources, specifier, context) ?? next(specifier, context),
      load: (url: string, context: unknown, next: NextLoad) => loadFrom(sources, url) ?? next(url, context),
    });
  } else {
    nodeModule.register('./module-hooks-thread.js', import.meta.url, { data: sources });
  }
}

/** `null`: not a file of ours. Files are not looked for on disk, where they may have changed or gone. */
export function resolveFrom(sources: Sources, specifier: string, { parentURL }: ResolveContext): Resolved | null {
  if (specifier === OWN_ENTRY) return { url: OWN_ENTRY_URL, format: 'module', shortCircuit: true };
  const url = relativeUrl(specifier, parentURL ?? import.meta.url);
  if (url === null) return null;
  const known = [url, ...typescriptOf(url)].find((candidate) => sources.has(candidate));
  return known === undefined ? null : { url: known, format: sources.get(known)!.format, shortCircuit: true };
}

export function loadFrom(sources: Sources, url: string): Loaded | null {
  const file = sources.get(url);
  return file === undefined ? null : { ...file, shortCircuit: true };
}
