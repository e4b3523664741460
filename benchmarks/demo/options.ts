import { parseArgs } from 'node:util';
import { OUTPUT } from '../support/paths.js';

export interface DemoOptions {
  readonly quick: boolean;
  readonly rounds: number;
  /** Of one measurement, after the warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Requests in flight. */
  readonly calls: readonly number[];
  /** A prepared model repository: the synthetic set. */
  readonly models: string;
}

const USAGE = 'run.js [--quick] [--rounds 5] [--seconds 5] [--warm-up 1] [--calls 1,4,16] [--models DIR]';

/** @throws Error with the usage for anything else. */
export function readOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      calls: { type: 'string' },
      models: { type: 'string', default: `${OUTPUT}models` },
    },
  });
  const { quick } = values;
  return {
    quick,
    rounds: Math.ceil(positive(values.rounds, quick ? 1 : 5)),
    seconds: positive(values.seconds, quick ? 0.5 : 5),
    warmUpSeconds: positive(values['warm-up'], quick ? 0.2 : 1),
    calls: (values.calls ?? (quick ? '1,4' : '1,4,16')).split(',').map((text) => Math.ceil(positive(text, 1))),
    models: values.models,
  };
}

function positive(text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!(value > 0 && value < Infinity))
    throw new Error(`expected a positive number, received ${text}; usage: ${USAGE}`);
  return value;
}
