import { pathToFileURL } from 'node:url';

import type { NodeModule, Tensor } from './api.js';
import { ModuleFault, show, textOf } from './module-fault.js';
import type { JsNodeFile } from './reference.js';
import { stripTypes } from './strip-types.js';

/** The functions of a module, none of which has been called. */
export type UserModule = NodeModule<Readonly<Record<string, Tensor>>, unknown, unknown>;

const REQUIRED = ['inputs', 'outputs', 'execute'] as const;
const OPTIONAL = ['initialize', 'deinitialize'] as const;

/**
 * Imports a module whose sources the hooks of this thread serve, and takes the node's functions out of its named exports or else its
 * default one.
 *
 * @throws ModuleFault when it cannot be imported or lacks a function
 */
export async function importUserModule(module: string, files: readonly JsNodeFile[]): Promise<UserModule> {
  let namespace: Record<string, unknown>;
  try {
    namespace = (await import(pathToFileURL(module).href)) as Record<string, unknown>;
  } catch (thrown) {
    throw new ModuleFault(importFault(thrown, files), { cause: thrown });
  }
  return toUserModule(namespace);
}

export function toUserModule(namespace: Readonly<Record<string, unknown>>): UserModule {
  const found = REQUIRED.some((name) => name in namespace) ? namespace : namespace['default'];
  if (typeof found !== 'object' || found === null) {
    throw new ModuleFault(`expected exports ${REQUIRED.join(', ')}, received ${exportsOf(namespace)}`);
  }
  const functions = found as Readonly<Record<string, unknown>>;
  for (const name of [...REQUIRED, ...OPTIONAL]) {
    const value = functions[name];
    const isOptional = (OPTIONAL as readonly string[]).includes(name);
    if (typeof value === 'function' || (isOptional && value === undefined)) continue;
    const received = value === undefined ? exportsOf(functions) : show(value);
    throw new ModuleFault(`export ${name}: expected a function, received ${received}`);
  }
  return functions as unknown as UserModule;
}

function exportsOf(namespace: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(namespace);
  return names.length === 0 ? 'no exports' : `exports ${names.join(', ')}`;
}

/** V8 does not say in which file of JavaScript a syntax error is; the parser for TypeScript does. */
function importFault(thrown: unknown, files: readonly JsNodeFile[]): string {
  const text = textOf(thrown);
  if (!(thrown instanceof SyntaxError)) return `import failed: ${text}`;
  const [place] = /^file:.*:\d+$/m.exec(thrown.stack ?? '') ?? [];
  return `syntax error: ${place === undefined ? (locateSyntaxError(files) ?? text) : `${place}: ${text}`}`;
}

function locateSyntaxError(files: readonly JsNodeFile[]): string | null {
  for (const { path, format, source } of files) {
    if (format !== 'module' || source === null) continue;
    try {
      stripTypes(source, path);
    } catch (fault) {
      return textOf(fault);
    }
  }
  return null;
}
