import { supported } from '../row.js';

/** Errors of requests, on gRPC and REST, models and pipelines. */
export const errors = {
  'errors.input-count': supported(
    'wrong number of inputs: `Invalid number of inputs - Expected: 1; Actual: 2`, INVALID_ARGUMENT and 400',
  ),
};
