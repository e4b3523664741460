/**
 * A number among the `params` of a node, or `byDefault` without it. A text that is a number will do.
 * @throws Error when it is none, or below `least`.
 */
export function numberParameter(params: unknown, name: string, byDefault: number, least: number): number {
  const given = parameter(params, name);
  if (given === undefined) return byDefault;
  const value = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
  throw new Error(`expected params.${name} to be a number from ${least} on, received ${JSON.stringify(given)}`);
}

/** A text among the `params` of a node. @throws Error when there is none. */
export function textParameter(params: unknown, name: string): string {
  const given = parameter(params, name);
  if (typeof given === 'string') return given;
  throw new Error(
    `expected params.${name} to be a text, received ${given === undefined ? 'nothing' : JSON.stringify(given)}`,
  );
}

function parameter(params: unknown, name: string): unknown {
  return typeof params === 'object' && params !== null
    ? (params as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
