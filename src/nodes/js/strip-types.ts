import { createRequire } from 'node:module';

import { ModuleFault } from './module-fault.js';

/** What the parser throws: a plain object. */
interface ParserFault {
  readonly message: string;
  readonly startLine?: number;
  /** Counted from 0. */
  readonly startColumn?: number;
}

interface Parser {
  transformSync(source: string, options: { readonly mode: 'strip-only'; readonly filename: string }): { code: string };
}

const require = createRequire(import.meta.url);
let parser: Parser | null = null;

/**
 * Blanks out the types, by the parser that Node.js itself uses for it; lines and columns stay. Its 3.6 MB are loaded with the first
 * use, which takes about 0.1 s: nothing but the description of a node needs it.
 *
 * @throws ModuleFault with file, line and column; also for what is more than types (`enum`, `namespace`, parameter properties)
 */
export function stripTypes(source: string, path: string): string {
  // Its 63 exports of a WebAssembly wrapper are found by running it, so `require` rather than a named import.
  parser ??= require('@swc/wasm-typescript') as Parser;
  try {
    return parser.transformSync(source, { mode: 'strip-only', filename: path }).code;
  } catch (thrown) {
    const { message, startLine, startColumn } = thrown as ParserFault;
    const place = startLine === undefined ? path : `${path}:${startLine}:${(startColumn ?? 0) + 1}`;
    throw new ModuleFault(`${place}: ${message}`, { cause: thrown });
  }
}
