import { ROOT } from '../support/paths.js';

/** A function on V8's stack. */
export interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

export function nameOf({ functionName }: CallFrame): string {
  return functionName === '' ? '(anonymous)' : functionName;
}

/** `dist/servables/plan.js:12`, `node:internal/streams/readable:80`; built-in functions have no place. */
export function placeOf({ url, lineNumber }: CallFrame): string {
  if (url === '') return '';
  const path = url.replace('file://', '').replace(encodeURI(ROOT), '').replace(ROOT, '');
  return `${path}:${lineNumber + 1}`;
}
