/** A table that reads the same on a terminal and as Markdown: cells are padded in both. The first columns hold words, the rest numbers. */
export class Table {
  readonly #header: readonly string[];
  readonly #textColumns: number;
  readonly #rows: (readonly string[])[] = [];

  constructor(header: readonly string[], textColumns: number) {
    this.#header = header;
    this.#textColumns = textColumns;
  }

  add(...cells: readonly string[]): void {
    if (cells.length !== this.#header.length)
      throw new Error(`expected ${this.#header.length} cells, got ${cells.length}`);
    this.#rows.push(cells);
  }

  toString(): string {
    const widths = this.#header.map((title, column) =>
      Math.max(title.length, 3, ...this.#rows.map((row) => row[column]!.length)),
    );
    const line = (cells: readonly string[]): string =>
      `| ${cells.map((cell, at) => this.#pad(cell, at, widths)).join(' | ')} |`;
    const rule = widths.map((width, at) => (at < this.#textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
    return [line(this.#header), `| ${rule.join(' | ')} |`, ...this.#rows.map(line)].join('\n');
  }

  #pad(cell: string, column: number, widths: readonly number[]): string {
    return column < this.#textColumns ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  }
}
