import { FLAG_GROUPS, FLAGS, type FlagDefinition } from './flags.js';

const NAME_WIDTH = 32;
const LINE_WIDTH = 110;

const USAGE = `Vinery, a model and pipeline server for OpenVINO
Usage:
  vinery --config_path <CONFIG_PATH> --port <PORT> [OPTION...]
  vinery --model_name <MODEL_NAME> --model_path <MODEL_PATH> --port <PORT> [OPTION...]
  vinery --list_models --model_repository_path <MODEL_REPO_PATH>
  vinery --add_to_config --config_path <CONFIG_PATH> --model_name <MODEL_NAME> --model_path <MODEL_PATH>
  vinery --remove_from_config --config_path <CONFIG_PATH> --model_name <MODEL_NAME>
  vinery client ...
`;

/** Every flag with its default, by group. */
export function helpText(): string {
  const groups = Object.entries(FLAG_GROUPS).map(([group, heading]) => {
    const flags: Readonly<Record<string, FlagDefinition>> = FLAGS[group as keyof typeof FLAGS];
    return `\n ${heading}:\n${Object.entries(flags).map(formatFlag).join('')}`;
  });
  return USAGE + groups.join('');
}

function formatFlag([name, { type, help, byDefault }]: [string, FlagDefinition]): string {
  const left = `  ${name === 'help' ? '-h, ' : '    '}--${name}${type === 'boolean' ? '' : ` ${name.toUpperCase()}`}`;
  const lines = wrap(byDefault === undefined ? help : `${help} (default: ${byDefault})`, LINE_WIDTH - NAME_WIDTH);
  const indent = ' '.repeat(NAME_WIDTH);
  const first = left.length < NAME_WIDTH - 1 ? left.padEnd(NAME_WIDTH) : `${left}\n${indent}`;
  return `${first}${lines.join(`\n${indent}`)}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1] ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
