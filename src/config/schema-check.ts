import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { ServingError, type ErrorCode } from '../errors.js';
import { shown } from '../texts.js';
import { isNestedDeeper, NESTING_LIMIT } from './json-nesting.js';

const MOST_FAULTS = 5;
const NESTED_TOO_DEEP = `/: expected at most ${NESTING_LIMIT} lists and objects inside one another, received more`;

const ajv = new Ajv({ allErrors: true, verbose: true, strictTypes: false });
const compiled = new WeakMap<TSchema, ValidateFunction>();

/**
 * Checks a value against a schema. Nothing is changed or added.
 * @param root what the first `/` of a JSON pointer is written as: `--` where the keys of the value are flags.
 * @throws ServingError `code` with up to five faults, each as `<JSON pointer>: expected ..., received ...`.
 */
export function checkSchema<T extends TSchema>(schema: T, value: unknown, code: ErrorCode, root = '/'): Static<T> {
  const faults = schemaFaults(schema, value);
  if (faults.length > 0) {
    const more = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : '';
    const told = faults.slice(0, MOST_FAULTS).map((fault) => fault.replace(/^\//, root));
    throw new ServingError(code, told.join('; ') + more);
  }
  return value;
}

/** The faults of a value, in document order of the schema; empty when it fits. Nothing is asked of a value nested beyond the limit. */
export function schemaFaults(schema: TSchema, value: unknown): string[] {
  if (isNestedDeeper(value, NESTING_LIMIT)) return [NESTED_TOO_DEEP];
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  // `if` only says that a `then` failed, whose own faults stand beside it.
  return (validate.errors ?? []).filter((fault) => fault.keyword !== 'if').map(describe);
}

function describe(fault: ErrorObject): string {
  const at = (key: string): string => `${fault.instancePath}/${escapePointer(key)}`;
  const { params } = fault as { params: Record<string, unknown> };
  switch (fault.keyword) {
    case 'required': {
      const key = String(params['missingProperty']);
      return `${at(key)}: expected ${expectedOf(fault.parentSchema?.['properties'], key)}, received nothing`;
    }
    case 'dependencies': {
      const key = String(params['missingProperty']);
      return `${at(key)}: expected a value beside ${String(params['property'])}, received nothing`;
    }
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys((fault.parentSchema?.['properties'] ?? {}) as object);
      return `${at(key)}: expected ${known.length === 0 ? 'no key' : `one of the keys ${known.join(', ')}`}, received ${shown(key)}`;
    }
    default:
      return `${fault.instancePath || '/'}: expected ${expectation(fault, params)}, received ${shown(fault.data)}`;
  }
}

function expectation(fault: ErrorObject, params: Record<string, unknown>): string {
  switch (fault.keyword) {
    case 'type':
      return [params['type']].flat().join(' or ');
    case 'enum':
      return `one of ${(params['allowedValues'] as unknown[]).map(shown).join(', ')}`;
    case 'minimum':
    case 'maximum':
      return `a number ${String(params['comparison'])} ${String(params['limit'])}`;
    case 'minProperties':
      return `at least ${String(params['limit'])} key`;
    case 'maxProperties':
      return `at most ${String(params['limit'])} key`;
    case 'false schema':
      return 'nothing (the key does not fit the type of the node)';
    default:
      return `a value that ${fault.message ?? fault.keyword}`;
  }
}

function expectedOf(properties: unknown, key: string): string {
  const property = (properties as Record<string, { type?: string | string[] } | boolean> | undefined)?.[key];
  return typeof property === 'object' && property.type ? [property.type].flat().join(' or ') : 'a value';
}

/** One key of a JSON pointer (RFC 6901). */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
