import { readFileSync, watch, writeFileSync } from 'node:fs';

/** The log file of a server in this process, which has no output of its own to read. */
export class LogFile {
  constructor(readonly path: string) {
    writeFileSync(path, '');
  }

  count(text: string): number {
    return readFileSync(this.path, 'utf8').split(text).length - 1;
  }

  /** Resolves when `text` stands in the file `count` times. */
  has(text: string, count = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      const watcher = watch(this.path);
      const check = (): void => {
        if (this.count(text) < count) return;
        watcher.close();
        resolve();
      };
      watcher.on('change', check);
      watcher.once('error', reject);
      check();
    });
  }
}
