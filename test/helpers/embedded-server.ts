import { parseCommandLine } from '#src/config/command-line.js';
import { machine } from '#src/config/machine.js';
import type { ServerSettings } from '#src/config/settings.js';
import { Server } from '#src/control/server.js';
import { configureLogging, type LoggingOptions } from '#src/observability/logger.js';
import { TRANSPORT_FLAGS } from './transport.js';

/** Settings of a server in this process: free ports of 127.0.0.1, and only faults in the log, unless flags say otherwise. */
export function embeddedSettings(configPath: string, ...flags: readonly string[]): ServerSettings {
  const ports = ['--port', '1', '--rest_port', '2'];
  const transport = flags.includes('--backend') || flags.includes('--grpc_transport') ? [] : TRANSPORT_FLAGS;
  const argv = ['--config_path', configPath, ...ports, '--log_level', 'ERROR', ...transport, ...flags];
  const command = parseCommandLine(argv, {}, machine());
  if (command.kind !== 'serve') throw new Error(`these flags start no server: ${argv.join(' ')}`);
  // A log file replaces standard output, which belongs to the test.
  const log: LoggingOptions = {
    ...command.settings.log,
    ...(command.settings.log.path === null ? {} : { stdout: null }),
  };
  configureLogging(log);
  const listen = { addresses: ['127.0.0.1'], port: 0 };
  return { ...command.settings, grpc: listen, rest: listen, log };
}

/** Runs `use` with a server in this process whose servables are loaded, and stops it. */
export async function withEmbeddedServer<T>(
  settings: ServerSettings,
  use: (server: EmbeddedServer) => Promise<T>,
): Promise<T> {
  const server = await Server.start(settings);
  try {
    await server.loaded;
    return await use({ server, grpcPort: server.grpcPort!, restPort: server.restPort! });
  } finally {
    await server.stop();
  }
}

export interface EmbeddedServer {
  readonly server: Server;
  readonly grpcPort: number;
  readonly restPort: number;
}
