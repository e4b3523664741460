import type { Timeline } from '../servables/serving.js';
import { ClientError } from './client-error.js';

const WIDTH = 60;
const QUEUED = '.';
const RUNNING = '█';

/**
 * Draws a request's time line as text: one bar a node in the order they became ready, all on one axis from the acceptance of the
 * request to its end. Dots are the wait for an infer request, blocks the node at work.
 */
export function drawTimeline(timeline: Timeline): string {
  const nodes = [...timeline.nodes].sort((a, b) => a.readyMicros - b.readyMicros || a.startMicros - b.startMicros);
  const nameWidth = nodes.reduce((width, node) => Math.max(width, nameOf(node).length), 0);
  const scale = WIDTH / Math.max(1, timeline.totalMicros);
  const lines = nodes.map((node) => {
    const { readyMicros, startMicros, endMicros } = node;
    const bar = drawBar(readyMicros * scale, startMicros * scale, endMicros * scale);
    const wait = startMicros - readyMicros;
    const waited = wait > 0 ? `, waited ${milliseconds(wait)}` : '';
    return `${nameOf(node).padEnd(nameWidth)} |${bar}| ${milliseconds(endMicros - startMicros)}${waited}\n`;
  });
  const { leftOutNodes = 0 } = timeline;
  const leftOut = leftOutNodes > 0 ? `and ${leftOutNodes} faster nodes, which the server left out\n` : '';
  const end = milliseconds(timeline.totalMicros);
  const axis = `${' '.repeat(nameWidth)} 0${end.padStart(WIDTH + 1)}\n`;
  return `\ntime line of the last request (${QUEUED} waiting, ${RUNNING} running)\n${lines.join('')}${axis}${leftOut}`;
}

function nameOf({ node, session }: Timeline['nodes'][number]): string {
  return session === '' ? node : `${node} ${session}`;
}

function drawBar(ready: number, start: number, end: number): string {
  // A node that ran is always seen, however short it was.
  const first = Math.min(WIDTH - 1, Math.floor(start));
  const last = Math.min(WIDTH, Math.max(first + 1, Math.round(end)));
  const queued = Math.min(first, Math.floor(ready));
  return ' '.repeat(queued) + QUEUED.repeat(first - queued) + RUNNING.repeat(last - first) + ' '.repeat(WIDTH - last);
}

function milliseconds(micros: number): string {
  return `${(micros / 1000).toFixed(micros < 1000 ? 2 : 1)} ms`;
}

/**
 * Parses the trailer that carries a time line.
 * @throws ClientError when it is not one.
 */
export function parseTimeline(json: string): Timeline {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (fault) {
    throw new ClientError('The server sent a time line that is not JSON', { cause: fault });
  }
  if (!isTimeline(value)) throw new ClientError('The server sent a time line that cannot be read');
  return value;
}

function isTimeline(value: unknown): value is Timeline {
  if (!isRecord(value) || !Number.isFinite(value['totalMicros']) || !Array.isArray(value['nodes'])) return false;
  if (value['leftOutNodes'] !== undefined && !Number.isFinite(value['leftOutNodes'])) return false;
  return value['nodes'].every(
    (node: unknown) =>
      isRecord(node) &&
      typeof node['node'] === 'string' &&
      typeof node['session'] === 'string' &&
      ['readyMicros', 'startMicros', 'endMicros'].every((key) => Number.isFinite(node[key])),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
