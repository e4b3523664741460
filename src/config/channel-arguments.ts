import { ServingError } from '../errors.js';
import { shown } from '../texts.js';

/**
 * `name=value,name=value` of `--grpc_channel_arguments`; a value that is an integer becomes a number (as OVMS 2026.2.1).
 * @throws ServingError CONFIG_VALUE_INVALID for a pair without `=` or without a name: the start fails.
 */
export function parseChannelArguments(text: string): Readonly<Record<string, string | number>> {
  if (text === '') return {};
  return Object.fromEntries(text.split(',').map(parsePair));
}

function parsePair(pair: string): [string, string | number] {
  const match = /^([^=]+)=([^=]*)$/.exec(pair.trim());
  if (!match) {
    throw new ServingError(
      'CONFIG_VALUE_INVALID',
      `--grpc_channel_arguments: expected name=value, received ${shown(pair)}`,
    );
  }
  const [, name = '', value = ''] = match;
  return [name, /^-?\d+$/.test(value) && Number.isSafeInteger(Number(value)) ? Number(value) : value];
}
