import type { NodeSettings, PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { REQUEST_NODE } from './definition.js';

/** Depth first from the response, as the reference walks; a node that is met again while it is open closes a cycle. */
export function checkCycles(pipeline: PipelineSettings): void {
  const byName = new Map(pipeline.nodes.map((node) => [node.name, node]));
  const state = new Map<string, 'open' | 'closed'>();
  const visit = (name: string, trail: readonly string[]): void => {
    if (name === REQUEST_NODE || state.get(name) === 'closed') return;
    if (state.get(name) === 'open') {
      const cycle = [...trail.slice(trail.indexOf(name)), name].join(' <- ');
      throw new ServingError('PIPELINE_CYCLE', `${cycle} at ${pipeline.jsonPath}/nodes`);
    }
    state.set(name, 'open');
    for (const source of sourcesOf(byName.get(name)!)) visit(source, [...trail, name]);
    state.set(name, 'closed');
  };
  for (const reader of [...pipeline.outputs, ...pipeline.exitWhen]) visit(reader.nodeName, []);
}

/** Every node, the request among them, must be waited for by some output. */
export function checkConnected(pipeline: PipelineSettings): void {
  const reached = new Set<string>();
  const open = [...pipeline.outputs, ...pipeline.exitWhen].map((reader) => reader.nodeName);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const node = pipeline.nodes.find((candidate) => candidate.name === name);
    if (node !== undefined) open.push(...sourcesOf(node));
  }
  const lost = [REQUEST_NODE, ...pipeline.nodes.map((node) => node.name)].filter((name) => !reached.has(name));
  if (lost.length > 0)
    throw new ServingError(
      'PIPELINE_UNCONNECTED_NODES',
      `no output depends on ${lost.join(', ')} at ${pipeline.jsonPath}/nodes`,
    );
}

/** The nodes that a node waits for. */
function sourcesOf({ inputs, when }: NodeSettings): string[] {
  const sources = inputs.map((input) => input.nodeName);
  return when === null ? sources : [...sources, when.nodeName];
}
