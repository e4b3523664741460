import { spawn } from 'node:child_process';
import { freePorts } from '#src/demo/free-port.js';
import { VINERY, type ServerProcess } from './server.js';

/** What a command printed, and how it ended. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `vinery` to its own end. */
export function runVinery(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(VINERY, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const printed = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...printed }));
  });
}

/** Starts a server on free ports that is expected to end by itself. */
export async function startInVain(
  flags: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<CommandResult> {
  const [grpcPort, restPort] = await freePorts(2);
  const ports = ['--port', String(grpcPort), '--rest_port', String(restPort)];
  const bind = ['--grpc_bind_address', '127.0.0.1', '--rest_bind_address', '127.0.0.1'];
  return runVinery([...bind, ...ports, ...flags], environment);
}

/** Runs `vinery client <command>` against a server of the test. */
export function runClientCommand(
  command: 'predict' | 'metadata' | 'status',
  server: ServerProcess,
  ...flags: readonly string[]
): Promise<CommandResult> {
  const address = ['--grpc_address', '127.0.0.1', '--grpc_port', String(server.grpcPort)];
  return runVinery(['client', command, ...address, ...flags]);
}
