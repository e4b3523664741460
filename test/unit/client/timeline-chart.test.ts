import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawTimeline, parseTimeline } from '#src/client/timeline-chart.js';
import type { Timeline } from '#src/servables/serving.js';

function node(name: string, ready: number, start: number, end: number): Timeline['nodes'][number] {
  return {
    node: name,
    session: '',
    readyMicros: ready,
    startMicros: start,
    endMicros: end,
    queueMicros: start - ready,
    inferMicros: end - start,
    copiedBytes: 0,
  };
}

test('time line: one bar a node on one axis, waiting and running drawn differently', () => {
  const chart = drawTimeline({
    totalMicros: 6000,
    nodes: [node('argmax', 5000, 5000, 5050), node('googlenet', 0, 200, 3300), node('resnet', 0, 1000, 5000)],
  });
  assert.equal(
    chart,
    `
time line of the last request (. waiting, █ running)
googlenet |..███████████████████████████████                           | 3.1 ms, waited 0.20 ms
resnet    |..........████████████████████████████████████████          | 4.0 ms, waited 1.0 ms
argmax    |                                                  █         | 0.05 ms
          0                                                       6.0 ms
`,
  );
});

test('time line: bars stay within the axis, whatever the clock says', () => {
  const chart = drawTimeline({ totalMicros: 100, nodes: [node('late', 99, 100, 150), node('none', 0, 0, 0)] });
  const bars = Array.from(chart.matchAll(/\|(.*)\|/g), (bar) => bar[1]);
  assert.deepEqual(bars, [`█${' '.repeat(59)}`, `${' '.repeat(59)}█`]);
});

test('time line: a request without nodes has an axis only', () => {
  assert.match(drawTimeline({ totalMicros: 0, nodes: [] }), /\n 0 +0\.00 ms\n$/);
});

test('time line: nodes that the server left out are counted', () => {
  const timeline = { totalMicros: 1000, nodes: [node('slow', 0, 0, 900)], leftOutNodes: 12 };
  assert.deepEqual(parseTimeline(JSON.stringify(timeline)), timeline);
  assert.match(drawTimeline(timeline), /1\.0 ms\nand 12 faster nodes, which the server left out\n$/);
  assert.throws(() => parseTimeline('{"totalMicros":1,"nodes":[],"leftOutNodes":"12"}'), { name: 'ClientError' });
});

test('time line: what is not one is refused', () => {
  for (const json of ['{', 'null', '{}', '{"totalMicros":1,"nodes":[{}]}', '{"totalMicros":"1","nodes":[]}']) {
    assert.throws(() => parseTimeline(json), { name: 'ClientError', message: /^The server sent a time line that/ });
  }
  const timeline = { totalMicros: 3, nodes: [node('a', 0, 1, 2)] };
  assert.deepEqual(parseTimeline(JSON.stringify(timeline)), timeline);
});
