import { converted, formatConversion, type Conversion } from '../tensors/conversion.js';
import type { TensorInfo } from '../tensors/tensor-info.js';
import type { GraphCondition } from './condition.js';
import type { GraphNode, GraphPort, GraphValue, NodeInput } from './graph.js';

/** A node before it is known who reads its outputs. */
export type NodeDraft = Pick<GraphNode, 'name' | 'program' | 'level' | 'opens' | 'condition'> & {
  readonly inputs: readonly Pick<NodeInput, 'name' | 'value'>[];
};

/** Name of the one input and the one output of a converting node. */
export const CONVERTED = 'tensor';

/**
 * A graph under construction: every (node, tensor) pair that is read somewhere gets an index, and what all readers together say of
 * uses and dependencies is worked out at the end.
 */
export class GraphDraft {
  readonly #levelOf: (node: string) => number;
  readonly #infoOf: (node: string, tensor: string) => TensorInfo;
  readonly #indices = new Map<string, Map<string, number>>();
  readonly #values: Omit<GraphValue, 'uses'>[] = [];
  readonly #nodes: NodeDraft[] = [];
  /** What a value is after a conversion, by both: names may hold any character, so two sources may be called the same. */
  readonly #conversions = new Map<string, number>();
  readonly #converters = new Map<NodeDraft, number>();

  /** @param levelOf level of the readers of a node's outputs. @param infoOf what those readers see of a tensor. */
  constructor(levelOf: (node: string) => number, infoOf: (node: string, tensor: string) => TensorInfo) {
    this.#levelOf = levelOf;
    this.#infoOf = infoOf;
  }

  add(node: NodeDraft): void {
    this.#nodes.push(node);
  }

  valueOf(node: string, tensor: string): number {
    return this.#index(node, tensor, () => ({ level: this.#levelOf(node), info: this.#infoOf(node, tensor) }));
  }

  /**
   * A value after a conversion, made by one node for all who ask for the same.
   *
   * @param sourceName what the log calls the value.
   */
  convert(source: number, sourceName: string, conversion: Conversion): number {
    const text = formatConversion(conversion);
    const known = this.#conversions.get(`${source} ${text}`);
    if (known !== undefined) return known;
    const { info, level } = this.#values[source]!;
    const value = this.#values.push({ level, info: converted(info, conversion) }) - 1;
    this.#conversions.set(`${source} ${text}`, value);
    const inputs = [{ name: CONVERTED, value: source }];
    const node: NodeDraft = {
      name: `${sourceName} ${text}`,
      program: { kind: 'convert', conversion },
      level,
      opens: null,
      inputs,
      condition: null,
    };
    this.#converters.set(node, value);
    this.add(node);
    return value;
  }

  finish(
    outputs: readonly GraphPort[],
    exits: readonly GraphCondition[],
  ): { readonly nodes: readonly GraphNode[]; readonly values: readonly GraphValue[] } {
    const made = this.#nodes.map((node) => this.#outputsOf(node));
    const producers = new Map(made.flatMap((values, node) => values.map(({ value }) => [value, node] as const)));
    const sources = this.#nodes.map((node) => new Set(reads(node).flatMap((value) => producers.get(value) ?? [])));
    const nodes = this.#nodes.map((node, index) => ({
      ...node,
      index,
      inputs: node.inputs.map((input) => ({ ...input, isInPlace: this.#values[input.value]!.level === node.level })),
      outputs: made[index]!,
      exits: exits.filter((exit) => producers.get(exit.value) === index),
      dependencyCount: sources[index]!.size,
      dependants: sources.flatMap((each, dependant) => (each.has(index) ? [dependant] : [])),
    }));
    return { nodes, values: this.#counted(outputs) };
  }

  #index(node: string, tensor: string, make: () => Omit<GraphValue, 'uses'>): number {
    let tensors = this.#indices.get(node);
    if (tensors === undefined) this.#indices.set(node, (tensors = new Map<string, number>()));
    let index = tensors.get(tensor);
    if (index === undefined) tensors.set(tensor, (index = this.#values.push(make()) - 1));
    return index;
  }

  #outputsOf(node: NodeDraft): { readonly name: string; readonly value: number }[] {
    const made = this.#converters.get(node);
    if (made !== undefined) return [{ name: CONVERTED, value: made }];
    return [...(this.#indices.get(node.name) ?? [])].map(([output, value]) => ({ name: output, value }));
  }

  #counted(outputs: readonly GraphPort[]): GraphValue[] {
    const uses = this.#values.map(() => 0);
    for (const node of this.#nodes) for (const value of reads(node)) uses[value]! += 1;
    for (const output of outputs) uses[output.value]! += 1;
    return this.#values.map((value, index) => ({ ...value, uses: uses[index]! }));
  }
}

/** Values a node reads, each as often as it reads it. */
function reads({ inputs, condition }: NodeDraft): number[] {
  const values = inputs.map((input) => input.value);
  return condition === null ? values : [...values, condition.value];
}
