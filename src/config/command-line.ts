import { findConflict, findUsageError } from './command-line-checks.js';
import { readArguments } from './flag-values.js';
import { helpText } from './help.js';
import type { Environment, Host } from './host.js';
import type { ParsedCommand } from './parsed-command.js';
import { makeEditConfigSettings, makeServerSettings, modelRepositoryPath } from './server-settings.js';
import { boundedEntry, shortened } from '../texts.js';

/**
 * Reads the command line of the server as OVMS 2026.2.1 does, texts and order of its checks included. Never throws.
 * @param argv without the program: `process.argv.slice(2)`.
 */
export function parseCommandLine(argv: readonly string[], environment: Environment, host: Host): ParsedCommand {
  if (argv[0] === 'client') return { kind: 'client', argv: argv.slice(1) };
  if (argv.length === 0) return { kind: 'help', text: helpText() };
  const { values, given, unmatched, badValue } = readArguments(argv);
  if (unmatched.length > 0) {
    return usageError(
      `error parsing options - unmatched arguments: ${unmatched.map((word) => `${shortened(word)}, `).join('')}`,
    );
  }
  if (badValue !== null) return usageError(`error parsing options: ${badValue}`);
  const args = { values, given, environment, host };
  const conflict = findConflict(args);
  if (conflict !== null) return usageError(conflict);
  if (values.version) return { kind: 'version' };
  if (values.help) return { kind: 'help', text: helpText() };
  const message = findUsageError(args);
  if (message !== null) return usageError(message);
  if (values.list_models) return { kind: 'list', repositoryPath: modelRepositoryPath(values, environment) };
  if (values.add_to_config || values.remove_from_config) {
    return { kind: 'edit-config', settings: makeEditConfigSettings(values, environment) };
  }
  return { kind: 'serve', ...makeServerSettings(values, environment, host) };
}

function usageError(message: string): ParsedCommand {
  return { kind: 'usage-error', message: boundedEntry(message) };
}
