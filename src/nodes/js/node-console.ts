import { Console } from 'node:console';
import { Writable } from 'node:stream';

import { log } from '../../observability/logger.js';

/**
 * Makes what nodes of this thread print lines of the server's log, under the name of the module: `console.log`, `info` and `debug`
 * as INFO, `console.warn`, `error` and `trace` as WARNING. `process.stdout.write` stays as it is.
 */
export function redirectConsole(module: string): void {
  globalThis.console = new Console({
    stdout: lines((text) => log.serving.info(`${module}: ${text}`)),
    stderr: lines((text) => log.serving.warning(`${module}: ${text}`)),
    colorMode: false,
  });
}

/** A console writes whole lines, perhaps several at once. */
function lines(print: (text: string) => void): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      for (const line of chunk.replace(/\n$/, '').split('\n')) print(line);
      done();
    },
  });
}
