import fc from 'fast-check';

import type { GraphCondition } from '#src/dag/condition.js';
import { Execution, type NodeDone, type NodeRunner } from '#src/dag/execution.js';
import { ROOT_LEVEL, type GraphLevel, type GraphNode, type PipelineGraph } from '#src/dag/graph.js';
import { ScopeLayout, sessionKey, type Scope } from '#src/dag/scope.js';
import { ServingError } from '#src/errors.js';
import type { CountedValue } from '#src/dag/value.js';
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
  /** Of how many questions one cannot be answered, because the value has no such element; 0: all can. */
  readonly unanswerable: number;
  /** Chooses which of the running nodes ends next. */
  readonly choose: (count: number) => number;
}

/** Runs nodes under the test's control: a queue for slots, and an end for one node at a time. */
export class SimulatedRunner implements NodeRunner<Value> {
  readonly started: number[] = [];
  readonly announced: number[] = [];
  /** `name session key` of every start. */
  readonly sessions: string[] = [];
  /** The same of what was skipped. */
  readonly skips: string[] = [];
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

  skipped(node: GraphNode, scope: Scope<Value>): void {
    this.skips.push(`${node.name} ${sessionKey(this.#graph, scope)}`);
  }

  holds(value: Value, condition: GraphCondition): boolean | ServingError {
    if (!value.isLive) throw new Error(`${value.text} was asked after its end`);
    const { unanswerable } = this.#behaviour;
    if (unanswerable > 0 && checksum(value.text) % unanswerable === 0)
      return new ServingError('CONDITION_ELEMENT_MISSING', value.text);
    return holds(value.text, condition);
  }

  shardsSkipped(): ServingError {
    return new ServingError('GATHER_SHARDS_DIFFER');
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

/** Whether a condition holds of a value: any question will do whose answer depends on nothing but the value. */
function holds(text: string, { element }: GraphCondition): boolean {
  return checksum(text) % 4 >= element!;
}

function checksum(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + character.charCodeAt(0)) % 1009;
  return sum;
}

/** What a value turns out to be: a text, or nothing because its node was skipped. */
type Interpreted = string | null;

/** The straightforward interpreter: each output computed by asking for its inputs, no scheduler in sight. */
export class Interpreter {
  readonly #graph: PipelineGraph;
  readonly #dynamicShards: number;
  /** Answers by value and path: a node that feeds many is asked once. */
  readonly #known = new Map<string, Interpreted>();

  constructor(graph: PipelineGraph, dynamicShards: number) {
    this.#graph = graph;
    this.#dynamicShards = dynamicShards;
  }

  /** @throws ServingError GATHER_SHARDS_DIFFER where conditions have skipped some of the shards that an output or a node joins. */
  outputs(): Interpreted[] {
    return this.#graph.outputs.map((port) => this.#read(port.value, 0, []));
  }

  /** Whether the execution may end early. */
  mayExit(): boolean {
    return this.#graph.nodes.some((node) =>
      node.exits.some((exit) => {
        const text = this.#value(exit.value, []);
        return text !== null && holds(text, exit);
      }),
    );
  }

  #countOf(level: number): number {
    const { count } = this.#graph.levels[level]!;
    return count === -1 ? this.#dynamicShards : count;
  }

  /** A value in one shard of its level; `path` has one index a demultiplexer, outermost first. */
  #value(value: number, path: readonly number[]): Interpreted {
    const key = `${value} ${path.join()}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const text = this.#compute(value, path);
    this.#known.set(key, text);
    return text;
  }

  #compute(value: number, path: readonly number[]): Interpreted {
    const node = this.#graph.nodes.find((each) => each.outputs.some((output) => output.value === value));
    if (node === undefined) {
      const name = this.#graph.inputs.find((input) => input.value === value)!.info.name;
      return path.length === 0 ? name : `${name}/${path[0]}`;
    }
    const inputs = this.#inputs(node, node.opens === null ? path : path.slice(0, -1));
    if (inputs === null) return null;
    const name = node.outputs.find((output) => output.value === value)!.name;
    const text = node.program.kind === 'select' ? inputs[0]! : outputText(node, name, inputs);
    return node.opens === null ? text : `${text}/${path.at(-1)}`;
  }

  /** What a node reads, of a select node only what it chooses; `null` when it is skipped. */
  #inputs(node: GraphNode, path: readonly number[]): readonly string[] | null {
    const { condition } = node;
    if (condition !== null) {
      const asked = this.#read(condition.value, node.level, path);
      if (asked === null || !holds(asked, condition)) return null;
    }
    if (node.program.kind === 'select') return this.#chosen(node, path);
    return this.#all(node.inputs.map((input) => () => this.#read(input.value, node.level, path)));
  }

  /** One input that was skipped skips the node, whatever is wrong with the others. */
  #all(reads: readonly (() => Interpreted)[]): readonly string[] | null {
    const texts: string[] = [];
    let fault: unknown = null;
    for (const read of reads) {
      try {
        const text = read();
        if (text === null) return null;
        texts.push(text);
      } catch (error) {
        fault ??= error;
      }
    }
    if (fault !== null) throw fault as ServingError;
    return texts;
  }

  #chosen(node: GraphNode, path: readonly number[]): readonly string[] | null {
    for (const input of node.inputs) {
      const chosen = this.#read(input.value, node.level, path);
      if (chosen !== null) return [chosen];
    }
    return null;
  }

  #read(value: number, level: number, path: readonly number[]): Interpreted {
    const levels: number[] = [];
    for (let at = this.#graph.values[value]!.level; at !== level; at = this.#graph.levels[at]!.parent)
      levels.unshift(at);
    if (levels.length === 0) return this.#value(value, path);
    let paths: (readonly number[])[] = [path];
    let isEven = true;
    for (const below of levels) {
      const opened = paths.filter((each) => this.#opens(below, each));
      if (paths.length > 0 && opened.length === 0) return null;
      isEven &&= opened.length === paths.length;
      paths = opened.flatMap((each) => Array.from({ length: this.#countOf(below) }, (_, index) => [...each, index]));
    }
    const shards = paths.map((each) => this.#value(value, each));
    const there = shards.filter((shard) => shard !== null);
    if (shards.length > 0 && there.length === 0) return null;
    if (!isEven || there.length < shards.length) throw new ServingError('GATHER_SHARDS_DIFFER');
    const sizes = levels.map((below) => this.#countOf(below));
    return gatherText(there, sizes);
  }

  /** Whether the demultiplexer of a level runs in a shard of the level above. */
  #opens(level: number, path: readonly number[]): boolean {
    const node = this.#graph.nodes.find((each) => each.opens === level);
    return node === undefined || this.#inputs(node, path) !== null;
  }
}

export interface ExecutionResult {
  error?: ServingError;
  outputs?: readonly (Value | null)[];
  ends: number;
  drains: number;
}

/** Begins an execution over the graph's inputs. */
export function execute(
  graph: PipelineGraph,
  runner: SimulatedRunner,
  ledger: { live: number },
): {
  readonly execution: Execution<Value>;
  readonly result: ExecutionResult;
} {
  const result: ExecutionResult = { ends: 0, drains: 0 };
  const execution = new Execution<Value>(graph, new ScopeLayout(graph), runner, {
    ended: (error, outputs) => {
      result.ends += 1;
      if (error !== null) result.error = error;
      if (outputs !== null) result.outputs = outputs;
    },
    drained: () => void (result.drains += 1),
  });
  execution.begin(graph.inputs.map((port) => new Value(port.info.name, ledger)));
  return { execution, result };
}

/** What random graphs may have beside nodes, demultiplexers and gathers. */
export interface GraphFeatures {
  readonly conditions: boolean;
  readonly exits: boolean;
}

function restrict(draft: NodeDraft, { conditions, exits }: GraphFeatures): NodeDraft {
  return {
    ...draft,
    when: conditions ? draft.when : null,
    selects: conditions && draft.selects,
    exits: exits && draft.exits,
  };
}

/**
 * Random graphs without a cycle. Each node reads values of one level that were made before it, may gather them into the level above,
 * and may demultiplex what it makes; what nobody reads is an output of the pipeline, gathered on the way out.
 */
export function arbitraryGraph(maxNodes: number, features: GraphFeatures): fc.Arbitrary<PipelineGraph> {
  const node = fc.record({
    reads: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    outputs: fc.integer({ min: 1, max: 2 }),
    gathers: fc.boolean(),
    demultiplexes: fc.option(fc.constantFrom(-1, 1, 2, 3), { freq: 4 }),
    selects: fc.boolean(),
    when: fc.option(fc.nat(), { freq: 3 }),
    exits: fc.integer({ min: 0, max: 30 }).map((chance) => chance === 0),
  });
  return fc
    .record({
      nodes: fc.array(node, { minLength: 1, maxLength: maxNodes }),
      inputs: fc.integer({ min: 1, max: 3 }),
      entry: fc.option(fc.constantFrom(-1, 1, 2, 3), { freq: 4 }),
    })
    .map(({ nodes, inputs, entry }) =>
      makeGraph(
        nodes.map((draft) => restrict(draft, features)),
        inputs,
        entry,
      ),
    );
}

interface NodeDraft {
  readonly reads: readonly number[];
  readonly outputs: number;
  readonly gathers: boolean;
  readonly demultiplexes: number | null;
  readonly selects: boolean;
  readonly when: number | null;
  readonly exits: boolean;
}

/** Deeper nesting only multiplies shards. */
const DEEPEST_LEVEL = 3;

function makeGraph(nodes: readonly NodeDraft[], inputCount: number, entry: number | null): PipelineGraph {
  const levels: GraphLevel[] = [ROOT_LEVEL];
  if (entry !== null) levels.push({ demultiplexer: 'request', parent: 0, count: entry, allowsEmpty: true });
  const values = Array.from({ length: inputCount }, () => ({ level: levels.length - 1, producer: -1 }));
  const depth = (level: number): number => (level === 0 ? 0 : 1 + depth(levels[level]!.parent));
  const drafts = nodes.map(({ reads, outputs, gathers, demultiplexes, selects, when, exits }, index) => {
    const around = values[reads[0]! % values.length]!.level;
    const readable = values.flatMap(({ level }, value) => (level === around ? [value] : []));
    const inputs = reads.map((read, port) => ({ name: `i${port}`, value: readable[read % readable.length]! }));
    const level = gathers && around !== 0 ? levels[around]!.parent : around;
    const opens = demultiplexes !== null && depth(level) < DEEPEST_LEVEL;
    if (opens) levels.push({ demultiplexer: `n${index}`, parent: level, count: demultiplexes, allowsEmpty: true });
    const asked = values.flatMap((value, number) => (value.level === level ? [number] : []));
    const condition =
      when === null || asked.length === 0 ? null : { value: asked[when % asked.length]!, element: when % 4, tests: [] };
    const made = Array.from({ length: selects ? 1 : outputs }, (_, output) => ({
      name: `o${output}`,
      value: values.length + output,
    }));
    for (const { value } of made) values[value] = { level: opens ? levels.length - 1 : level, producer: index };
    return {
      index,
      program: selects ? ({ kind: 'select' } as const) : ({ kind: 'model', modelName: 'm', version: null } as const),
      inputs,
      outputs: made,
      condition,
      exits: exits && level === 0 && !opens ? [{ value: made[0]!.value, element: 3, tests: [] }] : [],
      level,
      opens: opens ? levels.length - 1 : null,
    };
  });
  const readsOf = ({ inputs, condition }: (typeof drafts)[number]): number[] => [
    ...inputs.map((input) => input.value),
    ...(condition === null ? [] : [condition.value]),
  ];
  const uses = values.map(() => 0);
  for (const draft of drafts) for (const value of readsOf(draft)) uses[value]! += 1;
  const unread = uses.flatMap((count, value) => (count === 0 ? [value] : []));
  for (const value of unread) uses[value]! += 1;
  return {
    name: 'random',
    kind: 'pipeline',
    inputs: Array.from({ length: inputCount }, (_, value) => ({ info: tensor(`in${value}`), value })),
    outputs: unread.map((value) => ({ info: tensor(`out${value}`), value })),
    nodes: drafts.map((draft) => {
      const sources = new Set(
        readsOf(draft)
          .map((value) => values[value]!.producer)
          .filter((producer) => producer !== -1),
      );
      const dependants = drafts.filter((other) =>
        readsOf(other).some((value) => values[value]!.producer === draft.index),
      );
      return {
        ...draft,
        name: `n${draft.index}`,
        inputs: draft.inputs.map((input) => ({ ...input, isInPlace: values[input.value]!.level === draft.level })),
        dependencyCount: sources.size,
        dependants: dependants.map((other) => other.index),
      };
    }),
    levels,
    values: values.map(({ level }, value) => ({ info: tensor(`v${value}`), level, uses: uses[value]! })),
  };
}
