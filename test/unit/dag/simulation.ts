import fc from 'fast-check';

import { Execution, type CountedValue, type NodeDone, type NodeRunner } from '#src/dag/execution.js';
import { ROOT_LEVEL, type GraphLevel, type GraphNode, type PipelineGraph } from '#src/dag/graph.js';
import { ScopeLayout, sessionKey, type Scope } from '#src/dag/scope.js';
import { ServingError } from '#src/errors.js';
import { tensor } from './pipeline-fixture.js';

/** A value of the simulation: a text that says how it was computed, and its uses. */
export class Value implements CountedValue {
  #uses = 1;

  constructor(
    readonly text: string,
    readonly ledger: { live: number },
  ) {
    ledger.live += 1;
  }

  retain(uses: number): void {
    if (this.#uses <= 0) throw new Error(`${this.text} retained after its end`);
    this.#uses += uses;
  }

  release(): void {
    if (this.#uses <= 0) throw new Error(`${this.text} released too often`);
    this.#uses -= 1;
    if (this.#uses === 0) this.ledger.live -= 1;
  }

  get isLive(): boolean {
    return this.#uses > 0;
  }
}

/** How the nodes of one run behave. */
export interface Behaviour {
  /** Nodes that fail. */
  readonly failing: ReadonlySet<number>;
  /** Nodes that end before `start` returns, as inline inference does. */
  readonly immediate: ReadonlySet<number>;
  /** Nodes that may run at once. */
  readonly slots: number;
  /** Shards of a dynamic demultiplexer. */
  readonly shards: number;
  /** Chooses which of the running nodes ends next. */
  readonly choose: (count: number) => number;
}

/** Runs nodes under the test's control: a queue for slots, and an end for one node at a time. */
export class SimulatedRunner implements NodeRunner<Value> {
  readonly started: number[] = [];
  readonly announced: number[] = [];
  /** `name session key` of every start. */
  readonly sessions: string[] = [];
  readonly #graph: PipelineGraph;
  readonly #behaviour: Behaviour;
  readonly #ledger: { live: number };
  readonly #queue: Session[] = [];
  readonly #running: Session[] = [];

  constructor(graph: PipelineGraph, behaviour: Behaviour, ledger: { live: number }) {
    this.#graph = graph;
    this.#behaviour = behaviour;
    this.#ledger = ledger;
  }

  ready(node: GraphNode): void {
    this.announced.push(node.index);
  }

  start(node: GraphNode, scope: Scope<Value>, inputs: readonly Value[], done: NodeDone<Value>): void {
    for (const input of inputs)
      if (!input.isLive) throw new Error(`${node.name} was given ${input.text} after its end`);
    this.started.push(node.index);
    this.sessions.push(`${node.name} ${sessionKey(this.#graph, scope)}`);
    const session = { node, inputs, done };
    if (this.#behaviour.immediate.has(node.index)) this.#end(session);
    else this.#queue.push(session);
    this.#fill();
  }

  withdraw(error: ServingError): void {
    for (const session of this.#queue.splice(0)) session.done(error, null);
  }

  split(values: readonly Value[], { count }: GraphLevel): readonly (readonly Value[])[] {
    return Array.from({ length: count === -1 ? this.#behaviour.shards : count }, (_, index) =>
      values.map((value) => new Value(`${value.text}/${index}`, this.#ledger)),
    );
  }

  gather(shards: readonly Value[], sizes: readonly number[]): Value | ServingError {
    for (const shard of shards) if (!shard.isLive) throw new Error(`${shard.text} was gathered after its end`);
    if (sizes.includes(-1)) return new ServingError('GATHER_SHARDS_DIFFER');
    return new Value(
      gatherText(
        shards.map((shard) => shard.text),
        sizes,
      ),
      this.#ledger,
    );
  }

  /** Lets one running node end; `false` when none runs. */
  step(): boolean {
    const [session] = this.#running.splice(this.#behaviour.choose(this.#running.length), 1);
    if (session === undefined) return false;
    this.#end(session);
    this.#fill();
    return true;
  }

  #fill(): void {
    while (this.#running.length < this.#behaviour.slots && this.#queue.length > 0)
      this.#running.push(this.#queue.shift()!);
  }

  #end({ node, inputs, done }: Session): void {
    for (const input of inputs) if (!input.isLive) throw new Error(`${input.text} ended while ${node.name} read it`);
    if (this.#behaviour.failing.has(node.index)) return done(new ServingError('INFERENCE_FAILED', node.name), null);
    done(
      null,
      node.outputs.map(
        (output) =>
          new Value(
            outputText(
              node,
              output.name,
              inputs.map((input) => input.text),
            ),
            this.#ledger,
          ),
      ),
    );
  }
}

interface Session {
  readonly node: GraphNode;
  readonly inputs: readonly Value[];
  readonly done: NodeDone<Value>;
}

function outputText(node: GraphNode, output: string, inputs: readonly string[]): string {
  return `${node.name}.${output}(${inputs.join(',')})`;
}

function gatherText(shards: readonly string[], sizes: readonly number[]): string {
  return `[${sizes.join('x')}: ${shards.join(' | ')}]`;
}

/** The straightforward interpreter: each output computed by asking for its inputs, no scheduler in sight. */
export function interpret(graph: PipelineGraph, dynamicShards: number): string[] {
  const countOf = (level: number): number => {
    const { count } = graph.levels[level]!;
    return count === -1 ? dynamicShards : count;
  };
  /** Text of a value in one shard of its level; `path` has one index a demultiplexer, outermost first. */
  const valueText = (value: number, path: readonly number[]): string => {
    const node = graph.nodes.find((each) => each.outputs.some((output) => output.value === value));
    if (node === undefined) {
      const name = graph.inputs.find((input) => input.value === value)!.info.name;
      return path.length === 0 ? name : `${name}/${path[0]}`;
    }
    const inside = node.opens === null ? path : path.slice(0, -1);
    const inputs = node.inputs.map((input) => readText(input.value, node.level, inside));
    const text = outputText(node, node.outputs.find((output) => output.value === value)!.name, inputs);
    return node.opens === null ? text : `${text}/${path.at(-1)}`;
  };
  const readText = (value: number, level: number, path: readonly number[]): string => {
    const levels: number[] = [];
    for (let at = graph.values[value]!.level; at !== level; at = graph.levels[at]!.parent) levels.unshift(at);
    if (levels.length === 0) return valueText(value, path);
    let paths: (readonly number[])[] = [path];
    for (const below of levels)
      paths = paths.flatMap((each) => Array.from({ length: countOf(below) }, (_, index) => [...each, index]));
    return gatherText(
      paths.map((each) => valueText(value, each)),
      levels.map(countOf),
    );
  };
  return graph.outputs.map((port) => readText(port.value, 0, []));
}

/** Begins an execution over the graph's inputs. */
export function execute(
  graph: PipelineGraph,
  runner: SimulatedRunner,
  ledger: { live: number },
): {
  readonly execution: Execution<Value>;
  readonly result: { error?: ServingError; outputs?: readonly Value[]; ends: number };
} {
  const result: { error?: ServingError; outputs?: readonly Value[]; ends: number } = { ends: 0 };
  const execution = new Execution<Value>(graph, new ScopeLayout(graph), runner, (error, outputs) => {
    result.ends += 1;
    if (error !== null) result.error = error;
    if (outputs !== null) result.outputs = outputs;
  });
  execution.begin(graph.inputs.map((port) => new Value(port.info.name, ledger)));
  return { execution, result };
}

/**
 * Random graphs without a cycle. Each node reads values of one level that were made before it, may gather them into the level above,
 * and may demultiplex what it makes; what nobody reads is an output of the pipeline, gathered on the way out.
 */
export function arbitraryGraph(maxNodes: number): fc.Arbitrary<PipelineGraph> {
  const node = fc.record({
    reads: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    gathers: fc.boolean(),
    demultiplexes: fc.option(fc.constantFrom(-1, 1, 2, 3), { freq: 4 }),
  });
  return fc
    .record({
      nodes: fc.array(node, { minLength: 1, maxLength: maxNodes }),
      inputs: fc.integer({ min: 1, max: 3 }),
      entry: fc.option(fc.constantFrom(-1, 1, 2, 3), { freq: 4 }),
    })
    .map(({ nodes, inputs, entry }) => makeGraph(nodes, inputs, entry));
}

interface NodeDraft {
  readonly reads: readonly number[];
  readonly outputs: number;
  readonly gathers: boolean;
  readonly demultiplexes: number | null;
}

/** Deeper nesting only multiplies shards. */
const DEEPEST_LEVEL = 3;

function makeGraph(nodes: readonly NodeDraft[], inputCount: number, entry: number | null): PipelineGraph {
  const levels: GraphLevel[] = [ROOT_LEVEL];
  if (entry !== null) levels.push({ demultiplexer: 'request', parent: 0, count: entry, allowsEmpty: true });
  const values = Array.from({ length: inputCount }, () => ({ level: levels.length - 1, producer: -1 }));
  const depth = (level: number): number => (level === 0 ? 0 : 1 + depth(levels[level]!.parent));
  const drafts = nodes.map(({ reads, outputs, gathers, demultiplexes }, index) => {
    const around = values[reads[0]! % values.length]!.level;
    const readable = values.flatMap(({ level }, value) => (level === around ? [value] : []));
    const inputs = reads.map((read, port) => ({ name: `i${port}`, value: readable[read % readable.length]! }));
    const level = gathers && around !== 0 ? levels[around]!.parent : around;
    const opens = demultiplexes !== null && depth(level) < DEEPEST_LEVEL;
    if (opens) levels.push({ demultiplexer: `n${index}`, parent: level, count: demultiplexes, allowsEmpty: true });
    const made = Array.from({ length: outputs }, (_, output) => ({
      name: `o${output}`,
      value: values.length + output,
    }));
    for (const { value } of made) values[value] = { level: opens ? levels.length - 1 : level, producer: index };
    return { index, inputs, outputs: made, level, opens: opens ? levels.length - 1 : null };
  });
  const uses = values.map(() => 0);
  for (const draft of drafts) for (const input of draft.inputs) uses[input.value]! += 1;
  const unread = uses.flatMap((count, value) => (count === 0 ? [value] : []));
  for (const value of unread) uses[value]! += 1;
  return {
    name: 'random',
    kind: 'pipeline',
    inputs: Array.from({ length: inputCount }, (_, value) => ({ info: tensor(`in${value}`), value })),
    outputs: unread.map((value) => ({ info: tensor(`out${value}`), value })),
    nodes: drafts.map((draft) => {
      const sources = new Set(
        draft.inputs.map((input) => values[input.value]!.producer).filter((producer) => producer !== -1),
      );
      const dependants = drafts.filter((other) =>
        other.inputs.some((input) => values[input.value]!.producer === draft.index),
      );
      return {
        ...draft,
        name: `n${draft.index}`,
        modelName: 'm',
        version: null,
        dependencyCount: sources.size,
        dependants: dependants.map((other) => other.index),
      };
    }),
    levels,
    values: values.map(({ level }, value) => ({ info: tensor(`v${value}`), level, uses: uses[value]! })),
  };
}
