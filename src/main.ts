import { parseCommandLine } from './config/command-line.js';
import { machine } from './config/machine.js';
import type { EditConfigSettings } from './config/parsed-command.js';
import type { ServerSettings } from './config/settings.js';
import { versionText } from './config/version-text.js';
import { chooseGrpcTransport } from './control/grpc-transport.js';
import { prepareWorkerHeaps } from './control/worker-heaps.js';
import { ServingError } from './errors.js';
import type { NativeBinding } from './native/binding.js';
import { configureLogging, isEnabled, log } from './observability/logger.js';
import { productVersion } from './version.js';

/** `EX_USAGE` of sysexits: any fault of the command line (as OVMS 2026.2.1). */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 1;
/** OpenVINO's own log goes with DEBUG and TRACE (as OVMS 2026.2.1); it reads the variable when it is loaded. */
const OPENVINO_DEBUG_LOG = '4';

process.exitCode = await run(process.argv.slice(2)).catch(tell);

/** Faults of a command that has no log yet. */
function tell(error: unknown): number {
  if (!(error instanceof ServingError)) throw error;
  process.stderr.write(`${error.message}\n`);
  return EXIT_FAILURE;
}

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
      return list(command.repositoryPath);
    case 'edit-config':
      return edit(command.settings);
  }
}

async function list(repositoryPath: string): Promise<number> {
  const { listModels, listingText } = await import('./servables/list-models.js');
  process.stdout.write(`${listingText(repositoryPath, await listModels(repositoryPath))}\n`);
  return 0;
}

async function edit(settings: EditConfigSettings): Promise<number> {
  const { editConfig } = await import('./config/edit-config.js');
  const { succeeded, text } = await editConfig(settings);
  process.stdout.write(`${text}\n`);
  return succeeded ? 0 : EXIT_FAILURE;
}

/** Serves until SIGINT or SIGTERM; a second signal waits for nothing and nobody. */
async function serve(settings: ServerSettings, warnings: readonly string[]): Promise<number> {
  try {
    configureLogging(settings.log);
    if (isEnabled('DEBUG')) process.env['OPENVINO_LOG_LEVEL'] = OPENVINO_DEBUG_LOG;
    (await addon()).exitOnIllegalInstruction();
    for (const line of (await versions()).split('\n')) log.serving.info(line);
    for (const warning of warnings) log.serving.warning(warning);
    const signalled = nextSignal(await addon());
    const { Server } = await import('./control/server.js');
    prepareWorkerHeaps(chooseGrpcTransport(await addon(), settings));
    const server = await Server.start(settings);
    try {
      await Promise.race([signalled, server.loaded]);
      await signalled;
    } finally {
      await server.stop(true);
    }
    return 0;
  } catch (error) {
    log.serving.error(error instanceof Error ? error.message : String(error));
    return EXIT_FAILURE;
  }
}

/**
 * One handler for good: were it taken off after the first signal, a second one would find none and end the process by itself.
 * `process.exit` would wait for what runs in native threads, a custom node that hangs among them.
 */
function nextSignal(binding: NativeBinding): Promise<void> {
  return new Promise((resolve) => {
    let signalled = false;
    const received = (signal: NodeJS.Signals): void => {
      if (signalled) binding.endProcess(EXIT_FAILURE);
      signalled = true;
      log.serving.info(`Received ${signal}; stopping`);
      resolve();
    };
    process.on('SIGINT', received);
    process.on('SIGTERM', received);
  });
}

/** Loaded only where it is asked for: the client works without it. */
async function addon(): Promise<NativeBinding> {
  const { loadNativeBinding } = await import('./native/load.js');
  return loadNativeBinding();
}

async function versions(): Promise<string> {
  return versionText({
    product: productVersion(),
    openvino: (await addon()).openvinoVersion(),
    node: process.version,
  });
}
