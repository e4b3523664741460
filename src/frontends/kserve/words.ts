import { ServingError } from '../../errors.js';

/**
 * An error of the servables as KServe's clients read it (as OVMS 2026.2.1): the phrase `input name:` comes twice, counts have a unit,
 * a name that is no model and no pipeline is missed as what is looked for last, a graph, and an empty element has a text and, over
 * REST, a status of its own.
 */
export function inKserveWords(error: unknown): unknown {
  if (!(error instanceof ServingError)) return error;
  const { code, detail } = error;
  if (code === 'PIPELINE_NAME_MISSING') return new ServingError('GRAPH_NAME_MISSING', detail, { cause: error });
  if (code === 'STRING_EMPTY') return new ServingError('BYTES_EMPTY', inItsWords(detail), { cause: error });
  const said = inItsWords(code === 'INVALID_VALUE_COUNT' ? withUnit(detail) : detail);
  return said === detail ? error : new ServingError(code, said, { cause: error });
}

function inItsWords(detail: string): string {
  return detail
    .replace(/^Expected number of binary input shape/, 'Expected number of input shape')
    .replace(/; input name: (?!input name: )/, '; input name: input name: ');
}

function withUnit(detail: string): string {
  return detail.replace(/^Expected: (\d+); Actual: (\d+);/, 'Expected: $1 values; Actual: $2 values;');
}
