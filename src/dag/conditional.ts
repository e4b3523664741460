import type { PipelineSettings } from '../config/settings.js';
import { ServingError } from '../errors.js';
import { REQUEST_NODE } from './definition.js';
import { behind, type Nesting } from './levels.js';

/**
 * An early exit asks the request as a whole, so it cannot be asked inside a demultiplexer.
 *
 * @throws ServingError PIPELINE_CONDITION
 */
export function checkExits(pipeline: PipelineSettings, nesting: ReadonlyMap<string, Nesting>): void {
  for (const { nodeName, jsonPath } of pipeline.exitWhen) {
    if (nodeName === REQUEST_NODE)
      throw new ServingError('PIPELINE_CONDITION', `expected an output of a node, received the request at ${jsonPath}`);
    const around = behind(pipeline, nodeName, nesting.get(nodeName)!);
    if (around.length > 0)
      throw new ServingError(
        'PIPELINE_CONDITION',
        `expected a tensor outside of demultiplexers, received one from inside [${around.join(', ')}] at ${jsonPath}`,
      );
  }
}

/**
 * Shards of which a condition skips some cannot be joined: whoever gathers would not know which are missing. A condition inside of a
 * demultiplexer must therefore be resolved by a select node before its shards are gathered.
 *
 * @throws ServingError PIPELINE_CONDITION
 */
export function checkConditionalGathers(pipeline: PipelineSettings, nesting: ReadonlyMap<string, Nesting>): void {
  const undecided = new Map<string, ReadonlySet<number>>([[REQUEST_NODE, new Set()]]);
  const depthOf = (node: string): number => nesting.get(node)?.length ?? 0;
  /** Depths of demultiplexing at which it is not known whether a node's outputs are there. */
  const visit = (name: string): ReadonlySet<number> => {
    const known = undecided.get(name);
    if (known !== undefined) return known;
    const node = pipeline.nodes.find((candidate) => candidate.name === name)!;
    const depth = depthOf(name);
    const depths = new Set<number>(node.when === null ? [] : [depth, ...visit(node.when.nodeName)]);
    for (const input of node.inputs) {
      for (const at of visit(input.nodeName)) {
        if (at > depth) throw gatherFault(input.nodeName, input.jsonPath);
        depths.add(at);
      }
    }
    if (node.type === 'select') depths.delete(depth);
    undecided.set(name, depths);
    return depths;
  };
  for (const node of pipeline.nodes) visit(node.name);
  for (const { nodeName, jsonPath } of pipeline.outputs) {
    if ([...visit(nodeName)].some((depth) => depth > 0)) throw gatherFault(nodeName, jsonPath);
  }
}

function gatherFault(node: string, path: string): ServingError {
  return new ServingError(
    'PIPELINE_CONDITION',
    `expected shards that are all there, received those of ${node}, of which a condition may skip some (a select node joins branches) at ${path}`,
  );
}
