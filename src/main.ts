import { parseCommandLine } from './config/command-line.js';
import { machine } from './config/machine.js';
import type { ServerSettings } from './config/settings.js';
import { versionText } from './config/version-text.js';
import { configureLogging, log } from './observability/logger.js';
import { productVersion } from './version.js';

/** `EX_USAGE` of sysexits: any fault of the command line (as OVMS 2026.2.1). */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 1;

process.exitCode = await run(process.argv.slice(2));

async function run(argv: readonly string[]): Promise<number> {
  const command = parseCommandLine(argv, process.env, machine());
  switch (command.kind) {
    case 'serve':
      return serve(command.settings, command.warnings);
    case 'client': {
      const { runClient } = await import('./client/run-client.js');
      return runClient([...command.argv], { stdout: process.stdout, stderr: process.stderr });
    }
    case 'help':
      process.stdout.write(`${command.text}\n`);
      return 0;
    case 'version':
      process.stdout.write(`${await versions()}\n`);
      return 0;
    case 'usage-error':
      process.stderr.write(`${command.message}\n`);
      return EXIT_USAGE;
    case 'list':
      throw new Error();
    case 'edit-config':
      throw new Error();
  }
}

/** Serves until SIGINT or SIGTERM; a second signal does not wait for the requests in flight. */
async function serve(settings: ServerSettings, warnings: readonly string[]): Promise<number> {
  try {
    configureLogging(settings.log);
    for (const line of (await versions()).split('\n')) log.serving.info(line);
    for (const warning of warnings) log.serving.warning(warning);
    const signalled = nextSignal();
    const { Server } = await import('./control/server.js');
    const server = await Server.start(settings);
    try {
      await Promise.race([signalled, server.loaded]);
      await signalled;
    } finally {
      await server.stop();
    }
    return 0;
  } catch (error) {
    log.serving.error(error instanceof Error ? error.message : String(error));
    return EXIT_FAILURE;
  }
}

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    const received = (signal: NodeJS.Signals): void => {
      log.serving.info(`Received ${signal}; stopping`);
      resolve();
      process.once(signal, () => process.exit(EXIT_FAILURE));
    };
    process.once('SIGINT', received);
    process.once('SIGTERM', received);
  });
}

/** Loads the addon only where its version is asked for: the client works without it. */
async function versions(): Promise<string> {
  const { loadNativeBinding } = await import('./native/load.js');
  return versionText({
    product: productVersion(),
    openvino: loadNativeBinding().openvinoVersion(),
    node: process.version,
  });
}
