import { shortened } from '../../texts.js';

/** What is wrong with a node's module or with what it gave: a fault of its author, told as text. Never leaves the thread it is made in. */
export class ModuleFault extends Error {
  override readonly name = 'ModuleFault';
}

/** A value as errors show it: short, and never a throw of its own. */
export function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol') return value.toString();
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (value instanceof Promise) return 'a promise';
  if (value instanceof Error) return `${value.name}: ${shorten(value.message)}`;
  try {
    return shorten(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part)));
  } catch {
    return Array.isArray(value) ? 'a list' : 'an object';
  }
}

/** The message of whatever was thrown. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : show(thrown);
}

function shorten(text: string | undefined): string {
  return text === undefined ? 'an object' : shortened(text);
}
