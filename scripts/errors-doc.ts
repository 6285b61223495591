/** Writes docs/errors.md: every error code of the program, found in the source. `npx tsx scripts/errors-doc.ts` */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { format } from 'prettier';

interface ErrorEntry {
  code: string;
  kind: string;
  message: string;
  fix: string;
}

/** Functions that make an AppError of kind `user`. */
const USER_ERRORS = new Set(['userError', 'refusal']);

/** All `new AppError({ ... })` and the like of a folder, one entry for each code. */
export function collectErrors(dir: string): ErrorEntry[] {
  const found = new Map<string, ErrorEntry>();
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.ts'))
    .sort();
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(join(dir, file), 'utf8'), ts.ScriptTarget.Latest, true);
    visit(source, source, found);
  }
  return [...found.values()].sort((a, b) => a.code.localeCompare(b.code));
}

function visit(node: ts.Node, source: ts.SourceFile, found: Map<string, ErrorEntry>): void {
  if (ts.isObjectLiteralExpression(node)) {
    const fields = new Map<string, ts.Expression>();
    for (const property of node.properties) {
      if (ts.isPropertyAssignment(property)) fields.set(property.name.getText(source), property.initializer);
    }
    const isUserError = ts.isCallExpression(node.parent) && USER_ERRORS.has(node.parent.expression.getText(source));
    if (fields.has('code') && (fields.has('kind') || isUserError)) {
      for (const code of literals(fields.get('code')!)) {
        if (!/^[a-z_]+\.[a-z_0-9]+$/.test(code) || found.has(code)) continue;
        found.set(code, {
          code,
          kind: isUserError ? 'user' : literals(fields.get('kind')!).join(' or '),
          message: text(fields.get('message'), source),
          fix: text(fields.get('fix'), source),
        });
      }
    }
  }
  ts.forEachChild(node, (child) => {
    visit(child, source, found);
  });
}

/** The string literals an expression may evaluate to. */
function literals(expression: ts.Expression): string[] {
  if (ts.isStringLiteralLike(expression)) return [expression.text];
  if (ts.isConditionalExpression(expression))
    return [...literals(expression.whenTrue), ...literals(expression.whenFalse)];
  if (ts.isParenthesizedExpression(expression)) return literals(expression.expression);
  return [];
}

function text(expression: ts.Expression | undefined, source: ts.SourceFile): string {
  if (!expression) return '';
  if (ts.isStringLiteralLike(expression)) return expression.text;
  if (ts.isConditionalExpression(expression))
    return `${text(expression.whenTrue, source)} / ${text(expression.whenFalse, source)}`;
  if (ts.isTemplateExpression(expression)) {
    return expression.head.text + expression.templateSpans.map((span) => `…${span.literal.text}`).join('');
  }
  return '…';
}

/** The document for the errors in `dir`. */
export async function errorsDocument(dir: string): Promise<string> {
  const cell = (value: string): string => value.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
  const rows = collectErrors(dir).map((e) => `| \`${e.code}\` | ${e.kind} | ${cell(e.message)} | ${cell(e.fix)} |`);
  const markdown = [
    '# Error codes',
    '',
    'Every error that reaches an operator has one of these codes: in the message of a command, in a log line, in an answer of',
    'the API. `user`: something in the input (exit code 1); `operational`: the surroundings (exit code 3); `bug`: ours. An',
    'ellipsis stands for what the message fills in. Made by `npx tsx scripts/errors-doc.ts` from the source.',
    '',
    '| code | kind | message | what to do |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
  return format(markdown, { parser: 'markdown', printWidth: 120 });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync('docs/errors.md', await errorsDocument('src'));
