import type { Timeline } from '../servables/serving.js';

/**
 * Name of the request header (REST) or metadata entry (gRPC) by which a client asks with `1` for the time line of its request, and
 * of the response header or trailing metadata entry that brings it.
 */
export const TIMELINE_HEADER = 'vinery-timeline';

/**
 * JSON in printable ASCII, the only text that headers and metadata may carry; node names may be anything: `totalMicros`, and of each
 * node, in the order they became ready, `readyMicros`, `startMicros` and `endMicros` since the request's arrival, `queueMicros` and
 * `inferMicros` as durations, and `copiedBytes`.
 */
export function timelineText(timeline: Timeline): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(timeline).replace(/[\u007f-\uffff]/g, escape);
}
