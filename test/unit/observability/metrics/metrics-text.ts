import type { MetricsBook } from '#src/observability/metrics/metrics-book.js';
import { exposition } from '#src/observability/metrics/exposition.js';
import { FAMILIES } from '#src/observability/metrics/families.js';

/** Lines of the page of every family that contain `text`. */
export async function linesWith(book: MetricsBook, text: string): Promise<string[]> {
  const page = await exposition(
    book,
    FAMILIES.map(({ name }) => name),
  );
  return Buffer.from(page)
    .toString()
    .split('\n')
    .filter((line) => line.includes(text) && !line.startsWith('#'));
}
