import { parseCommandLine } from '#src/config/command-line.js';
import type { Environment, Host } from '#src/config/host.js';
import type { ParsedCommand } from '#src/config/parsed-command.js';
import type { ServerSettings } from '#src/config/settings.js';

/** A machine with 4 cores on which no file exists. */
export const HOST: Host = {
  cores: 4,
  inferenceThreads: null,
  maxOpenFiles: 1024,
  workingDirectory: '/work-dir',
  fileExists: () => false,
  directoryExists: () => false,
  fileReadable: () => false,
};

/** Splits a command line at spaces and parses it. */
export function parse(line: string, host: Partial<Host> = {}, environment: Environment = {}): ParsedCommand {
  return parseCommandLine(line === '' ? [] : line.split(' '), environment, { ...HOST, ...host });
}

/** The text of the usage error a command line ends with. */
export function usageError(line: string, host: Partial<Host> = {}, environment: Environment = {}): string {
  const command = parse(line, host, environment);
  return command.kind === 'usage-error' ? command.message : `no usage error but ${JSON.stringify(command)}`;
}

/** The settings of a command line that starts the server. */
export function settings(line: string, host: Partial<Host> = {}, environment: Environment = {}): ServerSettings {
  const command = parse(line, host, environment);
  if (command.kind !== 'serve') throw new Error(`expected settings, received ${JSON.stringify(command)}`);
  return command.settings;
}
