import type { LoadedConfig } from '../config/settings.js';
import { ServingError } from '../errors.js';
import type { ConfigSource } from './config-source.js';

/** What a look at the configuration found. */
export type ConfigLook =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'changed'; readonly config: LoadedConfig }
  /** It cannot be used; `isNews` the first time this content was seen. */
  | { readonly kind: 'refused'; readonly error: ServingError; readonly isNews: boolean };

/** Remembers which content was taken and which was refused: a file is read once a content, however often it is looked at. */
export class ConfigWatch {
  readonly #source: ConfigSource;
  #taken: string | null = null;
  #refused: { readonly digest: string; readonly error: ServingError } | null = null;

  constructor(source: ConfigSource) {
    this.#source = source;
  }

  /** @param evenUnchanged reads also what was taken or refused before. */
  async look(evenUnchanged = false): Promise<ConfigLook> {
    const digest = await this.#digest();
    const refused = this.#refused?.digest === digest ? this.#refused : null;
    if (!evenUnchanged) {
      if (refused !== null) return { kind: 'refused', error: refused.error, isNews: false };
      if (digest === this.#taken) {
        this.#refused = null;
        return { kind: 'unchanged' };
      }
    }
    try {
      const config = await this.#source.read();
      this.#taken = config.digest;
      this.#refused = null;
      return { kind: 'changed', config };
    } catch (error) {
      if (!(error instanceof ServingError)) throw error;
      this.#refused = { digest, error };
      return { kind: 'refused', error, isNews: refused === null };
    }
  }

  /** A file that cannot be read is a content like any other: it is refused once, and what comes after it is a change. */
  async #digest(): Promise<string> {
    try {
      return await this.#source.digest();
    } catch (error) {
      if (error instanceof ServingError) return `unreadable: ${error.message}`;
      throw error;
    }
  }
}
