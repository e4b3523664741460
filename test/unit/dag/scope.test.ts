import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PipelineGraph } from '#src/dag/graph.js';
import { Scope, ScopeLayout, sessionKey } from '#src/dag/scope.js';
import { covers } from '../../contract/covers.js';

test('scope: a session is called by its shards, innermost first, and has no name outside of them', () => {
  covers('pipelines.session-keys');
  const levels = [null, 'outer', 'inner'].map((demultiplexer) => ({ demultiplexer }));
  const graph = { inputs: [], levels, values: [], nodes: [] } as unknown as PipelineGraph;
  const layout = new ScopeLayout(graph);
  const request = new Scope<unknown>(layout, 0, null, 0);
  const outer = new Scope<unknown>(layout, 1, request, 4);
  const inner = new Scope<unknown>(layout, 2, outer, 7);
  assert.deepEqual(
    [request, outer, inner].map((scope) => sessionKey(graph, scope)),
    ['', 'outer_4', 'inner_7_outer_4'],
  );
});
