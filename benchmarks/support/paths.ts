import { fileURLToPath } from 'node:url';

/** The repository, seen from `build/bench/support`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where everything goes that a benchmark makes. */
export const OUTPUT = `${ROOT}build/bench/`;
export const VINERY = `${ROOT}dist/vinery`;
