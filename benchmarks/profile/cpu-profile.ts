import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { nameOf, placeOf } from './call-frame.js';

/** What V8 writes with `--cpu-prof`, as far as it is read here. */
const CpuProfile = Type.Object({
  nodes: Type.Array(
    Type.Object({
      id: Type.Integer(),
      callFrame: Type.Object({ functionName: Type.String(), url: Type.String(), lineNumber: Type.Integer() }),
    }),
  ),
  samples: Type.Array(Type.Integer()),
  timeDeltas: Type.Array(Type.Number()),
});

const IDLE = '(idle)';

/** Time in which one function itself, not what it called, stood on the stack. */
export interface SelfTime {
  readonly name: string;
  readonly where: string;
  readonly micros: number;
}

/** Self times of the thread that was busy longest: the owner worker. */
export async function busiestThread(directory: string): Promise<SelfTime[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.cpuprofile'));
  if (files.length === 0) throw new Error(`expected profiles in ${directory}, found none`);
  const threads = await Promise.all(files.map((file) => selfTimes(join(directory, file))));
  return threads.reduce((busiest, thread) => (totalMicros(thread) > totalMicros(busiest) ? thread : busiest));
}

export function totalMicros(times: readonly SelfTime[]): number {
  return times.reduce((sum, { micros }) => sum + micros, 0);
}

/** Sums by module: what lies in one file or one package goes together. */
export function byModule(times: readonly SelfTime[]): SelfTime[] {
  return summed(times.map(({ where, micros }) => ({ name: moduleOf(where), where: '', micros })));
}

async function selfTimes(file: string): Promise<SelfTime[]> {
  const { nodes, samples, timeDeltas } = Value.Parse(CpuProfile, JSON.parse(await readFile(file, 'utf8')));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = samples.map((id, sample): SelfTime => {
    const frame = frames.get(id)!;
    // A delta is the time since the sample before; it can be slightly negative.
    return { name: nameOf(frame), where: placeOf(frame), micros: Math.max(0, timeDeltas[sample + 1] ?? 0) };
  });
  return summed(times.filter(({ name }) => name !== IDLE));
}

/** Same name and place together, longest first. */
function summed(times: readonly SelfTime[]): SelfTime[] {
  const sums = new Map<string, SelfTime>();
  for (const time of times) {
    const key = `${time.name} ${time.where}`;
    sums.set(key, { ...time, micros: time.micros + (sums.get(key)?.micros ?? 0) });
  }
  return [...sums.values()].sort((a, b) => b.micros - a.micros);
}

function moduleOf(where: string): string {
  if (where === '') return 'V8 and native code';
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(where)?.[1];
  if (dependency !== undefined) return dependency;
  return where.replace(/:\d+$/, '').split('/').slice(0, 2).join('/');
}
