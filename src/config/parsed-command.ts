import type { ServerSettings } from './settings.js';

/** Adds or removes one model of a config file, then exits. */
export interface EditConfigSettings {
  readonly action: 'add' | 'remove';
  readonly configPath: string;
  readonly modelName: string;
  /** As written: it goes into the file. `null` for `remove`. */
  readonly modelPath: string | null;
}

export type ParsedCommand =
  /** `warnings` are for the log, once it is open. */
  | { readonly kind: 'serve'; readonly settings: ServerSettings; readonly warnings: readonly string[] }
  | { readonly kind: 'list'; readonly repositoryPath: string }
  | { readonly kind: 'edit-config'; readonly settings: EditConfigSettings }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  /** For standard error, without a line end; the exit code is 64. */
  | { readonly kind: 'usage-error'; readonly message: string }
  /** The words behind `client`, for the client's own parser. */
  | { readonly kind: 'client'; readonly argv: readonly string[] };
