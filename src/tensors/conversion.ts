import type { Precision } from './precision.js';
import type { Dimension, Shape } from './shape.js';
import type { TensorInfo } from './tensor-info.js';

/** A change of precision, of the order of dimensions, or of both. Plain data. */
export interface Conversion {
  /** `null`: the precision stays. */
  readonly precision: { readonly from: Precision; readonly to: Precision } | null;
  /** `null`: the order of dimensions stays. */
  readonly layout: { readonly from: string; readonly to: string } | null;
}

/** For each dimension of the result, the dimension of the source it is; `null` when the order stays. */
export function permutation({ layout }: Conversion): readonly number[] | null {
  return layout === null ? null : Array.from(layout.to, (letter) => layout.from.indexOf(letter));
}

/** Whether a conversion starts from what a tensor is. */
export function fits({ precision, shape }: TensorInfo, conversion: Conversion): boolean {
  return (
    (conversion.precision === null || conversion.precision.from === precision) &&
    (conversion.layout === null || conversion.layout.from.length === shape.length)
  );
}

/** What a tensor is after a conversion. Its rank is that of the layouts. */
export function converted(info: TensorInfo, conversion: Conversion): TensorInfo {
  return {
    ...info,
    precision: conversion.precision?.to ?? info.precision,
    shape: permuted<Dimension>(info.shape, permutation(conversion)),
    layout: conversion.layout?.to ?? info.layout,
  };
}

/** What a tensor must be before a conversion, so that it is `info` afterwards. */
export function beforeConversion(info: TensorInfo, { precision, layout }: Conversion): TensorInfo {
  return converted(info, {
    precision: precision === null ? null : { from: precision.to, to: precision.from },
    layout: layout === null ? null : { from: layout.to, to: layout.from },
  });
}

export function convertedShape(shape: Shape, conversion: Conversion): Shape {
  return permuted(shape, permutation(conversion));
}

function permuted<T>(sizes: readonly T[], order: readonly number[] | null): readonly T[] {
  return order === null ? sizes : order.map((dimension) => sizes[dimension]!);
}

/** `U8:FP32 NHWC:NCHW`, as the configuration writes it. */
export function formatConversion({ precision, layout }: Conversion): string {
  return [precision, layout].flatMap((change) => (change === null ? [] : [`${change.from}:${change.to}`])).join(' ');
}
