import { machine } from './config/machine.js';
import { makeServerSettings } from './config/server-settings.js';
import type { ServerSettings } from './config/settings.js';
import { Server } from './control/server.js';
import { configureLogging } from './observability/logger.js';

export { Server } from './control/server.js';
export { ListenError } from './control/listeners.js';
export { CATALOGUE, ServingError, type ErrorCode } from './errors.js';
export type { ReloadOutcome } from './servables/reload-outcome.js';
export type { ListenSettings, ServablesSource, ServerSettings } from './config/settings.js';

/** What an embedding program may say; the rest is as the command line has it by default. */
export type ServerOptions = Pick<ServerSettings, 'servables'> & Partial<ServerSettings>;

/**
 * Starts a server inside this process and resolves when its first load pass is over. Ports are off unless asked for; port 0 takes a
 * free one, which `grpcPort` and `restPort` of the result tell. Logging is that of the whole process and goes to standard output.
 *
 * ```ts
 * const server = await startServer({
 *   servables: { kind: 'config-file', path: 'models/config.json' },
 *   grpc: { addresses: ['127.0.0.1'], port: 0 },
 * });
 * // ... requests to server.grpcPort ...
 * await server.stop();
 * ```
 *
 * @throws ListenError, ServingError as {@link Server.start} and {@link Server.loaded}
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const settings = { ...makeServerSettings({}, {}, machine()).settings, ...options };
  configureLogging(settings.log);
  const server = await Server.start(settings);
  try {
    await server.loaded;
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
