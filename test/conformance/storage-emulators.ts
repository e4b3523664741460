import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { startPython, STORAGE_EMULATORS, whyNoPythonClient } from './python-program.js';

const AZURITE = fileURLToPath(
  new URL('../../../test/emulators/node_modules/azurite/dist/src/blob/main.js', import.meta.url),
);
/** The account that Azurite has by default, with the key that its documentation prints. */
export const AZURE_ACCOUNT = 'devstoreaccount1';
export const AZURE_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** Emulators on 127.0.0.1. */
export interface Emulators {
  readonly s3Port: number;
  readonly gcsPort: number;
  readonly azurePort: number;
  stop(): Promise<void>;
}

/** Why the emulators cannot run here, or `false`. */
export function whyNoEmulators(): string | false {
  if (!existsSync(AZURITE)) return 'Azurite is not installed: run `npm ci` in test/emulators';
  return whyNoPythonClient(STORAGE_EMULATORS);
}

export async function startEmulators(): Promise<Emulators> {
  const python = startPython(STORAGE_EMULATORS, ['storage_emulators.py']);
  const flags = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--inMemoryPersistence', '--skipApiVersionCheck'];
  const quiet = ['--silent', '--disableTelemetry', '--disableProductStyleUrl'];
  const azurite = spawn(process.execPath, [AZURITE, ...flags, ...quiet], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [ports, listening] = await Promise.all([
    lineWith(python.stdout, '{"s3"'),
    lineWith(azurite.stdout, 'successfully listens on'),
  ]);
  const { s3, gcs } = JSON.parse(ports) as { s3: number; gcs: number };
  return {
    s3Port: s3,
    gcsPort: gcs,
    azurePort: Number(/:(\d+)\s*$/.exec(listening)?.[1]),
    async stop() {
      const ended = [once(python, 'close'), once(azurite, 'close')];
      python.stdin.end();
      azurite.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}

async function lineWith(output: Readable, text: string): Promise<string> {
  const lines = createInterface({ input: output });
  for await (const line of lines) {
    if (!line.includes(text)) continue;
    // What it prints from now on is not read, and must not fill the pipe.
    output.resume();
    return line;
  }
  throw new Error(`an emulator ended before it printed ${text}`);
}
