/** One thing that a user of OVMS 2026.2.1 may rely on, and what Vinery does with it. */
export interface Row {
  /** A sentence without its full stop, in Markdown; texts a client sees stand in backquotes. */
  readonly what: string;
  readonly state: 'supported' | 'different' | 'unsupported';
  /** Of what is not simply supported: what Vinery does instead, and why. */
  readonly why?: string;
}

/** Vinery does what OVMS does. At least one test must cover it. */
export function supported(what: string): Row {
  return { what, state: 'supported' };
}

/** Vinery does something else by choice. At least one test must cover what it does. */
export function different(what: string, why: string): Row {
  return { what, state: 'different', why };
}

/** Vinery does not have it. Tests may cover how it is refused. */
export function unsupported(what: string, why: string): Row {
  return { what, state: 'unsupported', why };
}
