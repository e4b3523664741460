import { fileURLToPath } from 'node:url';

/** The repository, seen from `build/bench/support`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where everything goes that a benchmark makes. */
export const OUTPUT = `${ROOT}build/bench/`;
export const VINERY = `${ROOT}dist/vinery`;
/** The programs in C++. The last two are there only where grpc++ is. */
export const REFERENCE = `${OUTPUT}reference/local`;
export const LIMIT = `${OUTPUT}reference/limit`;
export const LOAD_CLIENT = `${OUTPUT}reference/load`;
