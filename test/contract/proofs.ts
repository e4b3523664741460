import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** A test that says it proves a row. */
export interface Proof {
  /** File of the test, from the root of the repository. */
  readonly file: string;
  /** Its title, or that of its case or group; without one, the file is meant as a whole. */
  readonly title: string | undefined;
}

const TESTS = new Set(['test', 'it', 'describe', 'suite']);

/** Reads which tests of the folder `test` (a URL that ends in a slash) cover which row; a row without any is absent. */
export function findProofs(tests: URL): Map<string, Proof[]> {
  const proofs = new Map<string, Proof[]>();
  const files = readdirSync(tests, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of files.filter((file) => /\.(ts|py|go|java)$/.test(file) && !file.startsWith('contract/'))) {
    const source = readFileSync(new URL(name, tests), 'utf8');
    const found = (row: string, title?: string): void => {
      const known = proofs.get(row) ?? [];
      if (!known.some((proof) => proof.file === `test/${name}` && proof.title === title)) {
        proofs.set(row, [...known, { file: `test/${name}`, title }]);
      }
    };
    if (!source.includes('covers')) continue;
    if (!name.endsWith('.ts')) findInComments(source, found);
    else visit(ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true), found);
  }
  return proofs;
}

/** Tests in other languages say it in a comment: `covers: <row>, <row>`. */
function findInComments(source: string, found: (row: string) => void): void {
  for (const [, rows = ''] of source.matchAll(/(?:#|\/\/) covers: ([a-z0-9., -]+)$/gm))
    rows.split(', ').forEach((row) => found(row));
}

function visit(node: ts.Node, found: (row: string, title?: string) => void): void {
  for (const row of textsOf(node)) found(row, titleAround(node));
  ts.forEachChild(node, (child) => visit(child, found));
}

function textsOf(node: ts.Node): string[] {
  if (ts.isCallExpression(node) && isNamed(node.expression, 'covers')) return node.arguments.flatMap(literalsOf);
  if (ts.isPropertyAssignment(node) && isNamed(node.name, 'covers')) return literalsOf(node.initializer);
  return [];
}

function isNamed(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

function literalsOf(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  return ts.isArrayLiteralExpression(node) ? node.elements.flatMap(literalsOf) : [];
}

/** The title of the case or of the innermost test around a node. */
function titleAround(node: ts.Node): string | undefined {
  for (let outer = node; !ts.isSourceFile(outer); outer = outer.parent) {
    if (ts.isObjectLiteralExpression(outer)) {
      const title = outer.properties.find(
        (property) => ts.isPropertyAssignment(property) && isNamed(property.name, 'title'),
      );
      if (title !== undefined && ts.isPropertyAssignment(title)) return textOf(title.initializer);
    }
    if (ts.isCallExpression(outer) && ts.isIdentifier(outer.expression) && TESTS.has(outer.expression.text)) {
      const [title] = outer.arguments;
      if (title !== undefined) return textOf(title);
    }
  }
  return undefined;
}

/** What a title says, with an ellipsis for each part that a table fills in. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('');
}
