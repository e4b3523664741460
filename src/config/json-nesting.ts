/** Lists and objects inside one another that any JSON may have, of clients and of files (as OVMS 2026.2.1 for requests). */
export const NESTING_LIMIT = 100;

/** Whether a value of `JSON.parse` has more lists and objects inside one another than `levels`. */
export function isNestedDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  const children: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return children.some((child) => isNestedDeeper(child, levels - 1));
}
