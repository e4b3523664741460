/**
 * How the channels of a picture lie in tensors (as OVMS 2026.2.1 names them). `NV12_2` and `I420_3` have their planes in inputs of
 * their own; the names without a number have them below each other in one.
 */
export const COLOR_FORMATS = ['RGB', 'BGR', 'GRAY', 'NV12', 'NV12_2', 'I420', 'I420_3'] as const;
export type ColorFormat = (typeof COLOR_FORMATS)[number];
