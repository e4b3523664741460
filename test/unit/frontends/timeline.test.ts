import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timelineText } from '#src/frontends/timeline.js';
import type { Timeline } from '#src/servables/serving.js';

function session(node: string, index: number): Timeline['nodes'][number] {
  return {
    node,
    session: `split_${index}`,
    readyMicros: 100 + index,
    startMicros: 200 + index,
    endMicros: 300 + index,
    queueMicros: 100,
    inferMicros: 90,
    copiedBytes: 2,
  };
}

function parse(text: string): Timeline {
  return JSON.parse(text) as Timeline;
}

test('time line: a short one tells of every session', () => {
  const timeline = { totalMicros: 500, nodes: [session('é', 0), session('é', 1)] };
  assert.deepEqual(parse(timelineText(timeline)), timeline);
  assert.match(timelineText(timeline), /^[\x20-\x7e]+$/);
});

test('time line: one of many shards fits into a header, with one entry a node', () => {
  const nodes = Array.from({ length: 10_000 }, (_, index) => session(index % 2 === 0 ? 'even' : 'odd', index));
  const text = timelineText({ totalMicros: 20_000, nodes });
  assert.ok(text.length <= 2_400);
  const [even, odd] = parse(text).nodes;
  assert.deepEqual(even, {
    node: 'even',
    session: '5000 sessions',
    readyMicros: 100,
    startMicros: 200,
    endMicros: 10_298,
    queueMicros: 500_000,
    inferMicros: 450_000,
    copiedBytes: 10_000,
  });
  assert.equal(odd!.node, 'odd');
});

test('time line: of too many nodes for a header those that took longest are told, and how many are not', () => {
  const nodes = Array.from({ length: 500 }, (_, index) => ({ ...session(`node ${index}`, 0), endMicros: 300 + index }));
  const text = timelineText({ totalMicros: 20_000, nodes });
  assert.ok(text.length <= 2_400);
  const { nodes: told, leftOutNodes } = parse(text);
  assert.ok(told.length > 10);
  assert.equal(told.length + leftOutNodes!, 500);
  assert.equal(told.at(-1)!.node, 'node 499');
  assert.ok(told.every(({ node }) => Number(node.slice(5)) >= 500 - told.length));
});

test('time line: a name that is too long for a header is shortened', () => {
  const names = ['x'.repeat(70_000), '漢'.repeat(70_000)];
  const text = timelineText({ totalMicros: 500, nodes: names.map((name) => session(name, 0)) });
  assert.ok(text.length <= 2_400);
  assert.match(text, /^[\x20-\x7e]+$/);
  const { nodes, leftOutNodes } = parse(text);
  assert.deepEqual(
    nodes.map(({ node }) => node),
    names.map((name) => `${name.slice(0, 128)}… (70000 characters)`),
  );
  assert.equal(leftOutNodes, undefined);
});
