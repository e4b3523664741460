import { parseArgs } from 'node:util';
import { OUTPUT } from '../support/paths.js';
import { WORK_NAMES, type WorkName } from './work.js';

/** A server that is compared, too. */
export interface OtherServer {
  readonly name: string;
  /** Of a shell, with {port}, {config} and {models} in it. */
  readonly command: string;
}

export interface ServingOptions {
  readonly quick: boolean;
  readonly rounds: number;
  /** Of one measurement, after the warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Calls in flight. */
  readonly calls: readonly number[];
  /** Rates of the open loop, as parts of what the slowest server reaches in a closed one. */
  readonly open: readonly number[];
  readonly sets: readonly WorkName[];
  /** Only what has one of these in its name is measured; everything when there are none. */
  readonly only: readonly string[];
  /** The prepared seed topologies. */
  readonly models: string;
  readonly others: readonly OtherServer[];
}

const USAGE =
  'serve.js [--quick] [--rounds 5] [--seconds 3] [--warm-up 0.5] [--calls 1,4,8,16,64] [--open 0.3,0.7] ' +
  `[--sets ${WORK_NAMES.join(',')}] [--only TEXT,TEXT] [--models DIR] [--other "NAME=COMMAND"]...`;

/** @throws Error with the usage for anything else. */
export function readOptions(args: readonly string[]): ServingOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      calls: { type: 'string' },
      open: { type: 'string' },
      sets: { type: 'string' },
      only: { type: 'string', default: '' },
      models: { type: 'string', default: `${OUTPUT}models` },
      other: { type: 'string', multiple: true, default: [] },
    },
  });
  const { quick } = values;
  return {
    quick,
    rounds: Math.ceil(positive(values.rounds, quick ? 1 : 5)),
    seconds: positive(values.seconds, quick ? 0.2 : 3),
    warmUpSeconds: positive(values['warm-up'], quick ? 0.1 : 0.5),
    calls: list(values.calls ?? (quick ? '1,8' : '1,4,8,16,64')).map((text) => Math.ceil(positive(text, 1))),
    open: list(values.open ?? (quick ? '0.3' : '0.3,0.7')).map((text) => positive(text, 1)),
    sets: list(values.sets ?? (quick ? 'tiny,trivial' : WORK_NAMES.join(','))).map(workName),
    only: list(values.only),
    models: values.models,
    others: values.other.map(otherServer),
  };
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function workName(text: string): WorkName {
  const name = WORK_NAMES.find((known) => known === text);
  if (name === undefined) throw new Error(`expected a set of models, received ${text}; usage: ${USAGE}`);
  return name;
}

function otherServer(text: string): OtherServer {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`expected NAME=COMMAND, received ${text}; usage: ${USAGE}`);
  return { name: text.slice(0, at), command: text.slice(at + 1) };
}

function positive(text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!(value > 0 && value < Infinity))
    throw new Error(`expected a positive number, received ${text}; usage: ${USAGE}`);
  return value;
}
