import { createHash } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

import { log } from '../observability/logger.js';

/**
 * The digest of the answers that a plainly compiled model gave, kept in the directory of the compiled-model cache. It stands for one
 * model, one way of compiling it and one processor. What is missing or wrong there costs a plain compile, never a right answer.
 */
export class RememberedAnswers {
  readonly #path: string;

  /** @param of whatever the answers depend on, besides the processor; of plain values. */
  constructor(cacheDir: string, of: readonly unknown[]) {
    const name = createHash('sha256').update(JSON.stringify([cpus()[0]?.model, cpus().length, of]));
    this.#path = join(cacheDir, `${name.digest('hex')}.answers`);
  }

  /** `null`: nothing is remembered. */
  async read(): Promise<string | null> {
    return readFile(this.#path, 'latin1').catch(() => null);
  }

  /** Several servers may share the directory: one sees what another has written whole, or not at all. @param digest `null`: there is none. */
  async write(digest: string | null): Promise<void> {
    if (digest === null) return;
    const whole = `${this.#path}.${process.pid}.${threadId}`;
    try {
      await writeFile(whole, digest, 'latin1');
      await rename(whole, this.#path);
    } catch (error) {
      log.modelmanager.debug(`${this.#path}: answers could not be remembered: ${String(error)}`);
    }
  }
}
