import { shortened } from '../texts.js';
import type { Timeline } from '../servables/serving.js';

/**
 * Name of the request header (REST) or metadata entry (gRPC) by which a client asks with `1` for the time line of its request, and
 * of the response header or trailing metadata entry that brings it.
 */
export const TIMELINE_HEADER = 'vinery-timeline';

/**
 * nginx refuses an answer whose header lines together, or whose trailers, have more than 4 KiB by default; gRPC clients take 8 KiB.
 * The answer has other lines, too.
 */
const LONGEST_TEXT = 2_400;

type NodeTimes = Timeline['nodes'][number];

/**
 * JSON in printable ASCII, the only text that headers and metadata may carry; node names may be anything: `totalMicros`, and of each
 * node session, in the order they became ready, `readyMicros`, `startMicros` and `endMicros` since the request's arrival,
 * `queueMicros` and `inferMicros` as durations, and `copiedBytes`.
 *
 * A text that would be too long for a header has one entry a node instead, from the first session that was ready to the last that
 * ended, with durations and bytes added up. If that is too long, it has those nodes that took longest, with shortened names, and
 * `leftOutNodes` counts the others.
 */
export function timelineText(timeline: Timeline): string {
  const whole = asciiJson(timeline);
  if (whole.length <= LONGEST_TEXT) return whole;
  const nodes = byNode(timeline.nodes);
  const together = asciiJson({ ...timeline, nodes });
  return together.length <= LONGEST_TEXT ? together : slowestText(timeline.totalMicros, nodes);
}

/** As many nodes as there is room for, in their order. */
function slowestText(totalMicros: number, nodes: readonly NodeTimes[]): string {
  const named = nodes.map((node) => ({ ...node, node: shortened(node.node), session: shortened(node.session) }));
  const slowest = [...named].sort((a, b) => tookMicros(b) - tookMicros(a));
  const told = new Set<NodeTimes>();
  const textOf = (): string => {
    const leftOut = named.length - told.size;
    const nodes = named.filter((node) => told.has(node));
    return asciiJson({ totalMicros, nodes, ...(leftOut > 0 && { leftOutNodes: leftOut }) });
  };
  let text = textOf();
  for (const node of slowest) {
    told.add(node);
    const longer = textOf();
    if (longer.length > LONGEST_TEXT) break;
    text = longer;
  }
  return text;
}

function asciiJson(value: unknown): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, escape);
}

function byNode(sessions: readonly NodeTimes[]): NodeTimes[] {
  const groups = new Map<string, NodeTimes[]>();
  for (const session of sessions) {
    const group = groups.get(session.node);
    if (group === undefined) groups.set(session.node, [session]);
    else group.push(session);
  }
  return [...groups.values()].map((group) => (group.length === 1 ? group[0]! : together(group)));
}

function together(group: readonly NodeTimes[]): NodeTimes {
  const sum = (key: 'queueMicros' | 'inferMicros' | 'copiedBytes'): number =>
    group.reduce((total, session) => total + session[key], 0);
  return {
    node: group[0]!.node,
    session: `${group.length} sessions`,
    readyMicros: group.reduce((first, { readyMicros }) => Math.min(first, readyMicros), Infinity),
    startMicros: group.reduce((first, { startMicros }) => Math.min(first, startMicros), Infinity),
    endMicros: group.reduce((last, { endMicros }) => Math.max(last, endMicros), 0),
    queueMicros: sum('queueMicros'),
    inferMicros: sum('inferMicros'),
    copiedBytes: sum('copiedBytes'),
  };
}

function tookMicros({ readyMicros, endMicros }: NodeTimes): number {
  return endMicros - readyMicros;
}
