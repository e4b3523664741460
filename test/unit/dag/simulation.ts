import fc from 'fast-check';

import { Execution, type CountedValue, type NodeDone, type NodeRunner } from '#src/dag/execution.js';
import type { GraphNode, PipelineGraph } from '#src/dag/graph.js';
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
  /** Chooses which of the running nodes ends next. */
  readonly choose: (count: number) => number;
}

/** Runs nodes under the test's control: a queue for slots, and an end for one node at a time. */
export class SimulatedRunner implements NodeRunner<Value> {
  readonly started: number[] = [];
  readonly announced: number[] = [];
  readonly #behaviour: Behaviour;
  readonly #ledger: { live: number };
  readonly #queue: Session[] = [];
  readonly #running: Session[] = [];

  constructor(behaviour: Behaviour, ledger: { live: number }) {
    this.#behaviour = behaviour;
    this.#ledger = ledger;
  }

  ready(node: GraphNode): void {
    this.announced.push(node.index);
  }

  start(node: GraphNode, inputs: readonly Value[], done: NodeDone<Value>): void {
    for (const input of inputs)
      if (!input.isLive) throw new Error(`${node.name} was given ${input.text} after its end`);
    this.started.push(node.index);
    const session = { node, inputs, done };
    if (this.#behaviour.immediate.has(node.index)) this.#end(session);
    else this.#queue.push(session);
    this.#fill();
  }

  withdraw(error: ServingError): void {
    for (const session of this.#queue.splice(0)) session.done(error, null);
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

/** The straightforward interpreter: each output computed by asking for its inputs, no scheduler in sight. */
export function interpret(graph: PipelineGraph): string[] {
  const valueText = (value: number): string => {
    const port = graph.inputs.find((input) => input.value === value);
    if (port !== undefined) return port.info.name;
    for (const node of graph.nodes) {
      const output = node.outputs.find((candidate) => candidate.value === value);
      if (output !== undefined)
        return outputText(
          node,
          output.name,
          node.inputs.map((input) => valueText(input.value)),
        );
    }
    throw new Error(`nothing makes value ${value}`);
  };
  return graph.outputs.map((port) => valueText(port.value));
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
  const execution = new Execution<Value>(graph, runner, (error, outputs) => {
    result.ends += 1;
    if (error !== null) result.error = error;
    if (outputs !== null) result.outputs = outputs;
  });
  execution.begin(graph.inputs.map((port) => new Value(port.info.name, ledger)));
  return { execution, result };
}

/** Random graphs without a cycle: node i reads the request or nodes before it; what nobody reads is an output of the pipeline. */
export function arbitraryGraph(maxNodes: number): fc.Arbitrary<PipelineGraph> {
  const nodeInputs = fc.array(fc.nat(), { minLength: 1, maxLength: 4 });
  return fc
    .record({
      nodes: fc.array(fc.tuple(nodeInputs, fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: maxNodes }),
      inputs: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ nodes, inputs }) => makeGraph(nodes, inputs));
}

function makeGraph(nodes: readonly (readonly [readonly number[], number])[], inputCount: number): PipelineGraph {
  let values = inputCount;
  const producer: (number | null)[] = new Array<number | null>(inputCount).fill(null);
  const drafts = nodes.map(([reads, outputs], index) => {
    const inputs = reads.map((read, port) => ({ name: `i${port}`, value: read % values }));
    const made = Array.from({ length: outputs }, (_, output) => ({ name: `o${output}`, value: values + output }));
    for (let output = 0; output < outputs; output += 1) producer.push(index);
    values += outputs;
    return { index, inputs, outputs: made };
  });
  const uses = new Array<number>(values).fill(0);
  for (const draft of drafts) for (const input of draft.inputs) uses[input.value]! += 1;
  const unread = uses.flatMap((count, value) => (count === 0 ? [value] : []));
  for (const value of unread) uses[value]! += 1;
  return {
    name: 'random',
    kind: 'pipeline',
    inputs: Array.from({ length: inputCount }, (_, value) => ({ info: tensor(`in${value}`), value })),
    outputs: unread.map((value) => ({ info: tensor(`out${value}`), value })),
    nodes: drafts.map(({ index, inputs, outputs }) => {
      const sources = new Set(inputs.map((input) => producer[input.value]).filter((source) => source != null));
      const dependants = drafts.filter((other) => other.inputs.some((input) => producer[input.value] === index));
      return {
        index,
        name: `n${index}`,
        modelName: 'm',
        version: null,
        inputs,
        outputs,
        dependencyCount: sources.size,
        dependants: dependants.map((other) => other.index),
      };
    }),
    valueUses: uses,
  };
}
