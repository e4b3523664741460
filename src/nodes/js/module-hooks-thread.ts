/** The module that Node.js 20 runs in a thread for hooks: see `registerSources`. */
import { loadFrom, resolveFrom, type Sources } from './module-hooks.js';

let sources: Sources = new Map();

export function initialize(data: Sources): void {
  sources = data;
}

export async function resolve(
  specifier: string,
  context: { readonly parentURL?: string | undefined },
  next: (specifier: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  return resolveFrom(sources, specifier, context) ?? (await next(specifier, context));
}

export async function load(
  url: string,
  context: unknown,
  next: (url: string, context: unknown) => Promise<unknown>,
): Promise<unknown> {
  return loadFrom(sources, url) ?? (await next(url, context));
}
