/** Node `best`: the likeliest class of a classifier's probabilities, and how likely it is. Parameter: `classes`. */
import type { NodeContext, Output, Tensor, TensorDeclaration } from 'vinery/node';

interface Params {
  readonly classes: number;
}

export function inputs({ classes }: Params): TensorDeclaration[] {
  return [{ name: 'probability', precision: 'FP32', shape: [1, classes] }];
}

export function outputs(): TensorDeclaration[] {
  return [
    { name: 'label', precision: 'I64', shape: [1] },
    { name: 'confidence', precision: 'FP32', shape: [1] },
  ];
}

export function execute(
  { probability }: { readonly probability: Tensor<'FP32'> },
  context: NodeContext<Params>,
): { label: Output; confidence: Output } {
  const best = probability.data.reduce((at, value, index, all) => (value > all[at]! ? index : at), 0);
  const label = context.allocate<'I64'>('label');
  const confidence = context.allocate<'FP32'>('confidence');
  label.data[0] = BigInt(best);
  confidence.data[0] = probability.data[best]!;
  return { label, confidence };
}
