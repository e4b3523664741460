import type { NodeSignature } from '../node-instance.js';

/**
 * A node of a user's own module as the control plane found it. Plain data, frozen in snapshots: it carries the texts of the module's
 * files, so that every thread of this generation runs the same code whatever happens to the files meanwhile.
 */
export interface JsNodeReference {
  /** Equal for nodes that are the same in everything below. */
  readonly key: string;
  readonly signature: NodeSignature;
  /** Absolute path. */
  readonly module: string;
  /** The module and what it imports relatively, over any number of steps, sorted by path. */
  readonly files: readonly JsNodeFile[];
  /** Of the contents of all files: see `jsNodeDigest`. */
  readonly digest: string;
  /** `params` of the node as configured. */
  readonly params: unknown;
  /** Milliseconds one execution may take. */
  readonly timeoutMs: number;
}

export interface JsNodeFile {
  /** Absolute path. */
  readonly path: string;
  /** How Node is to read the text; `null`: as it reads any file (`.cjs`, `.wasm`, ...), so the text is not kept. */
  readonly format: 'module' | 'json' | null;
  /** JavaScript, with the types of TypeScript blanked out, so that lines and columns are those of the file. */
  readonly source: string | null;
}
