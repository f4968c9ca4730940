import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Values } from './values.ts';

const chart = path.resolve(import.meta.dirname, '../platform');
const file = (name: string) => path.join(chart, name);

type Schema = Record<string, unknown> & { properties?: Record<string, Schema>; description?: string };

/** The JSON schema helm checks the values with. */
function valuesSchema(): Schema {
  const schema = z.toJSONSchema(Values, {
    target: 'draft-07',
    io: 'input',
    override: ({ jsonSchema }) => {
      // a misspelt value must be an error, not a silent nothing
      if (jsonSchema.properties) jsonSchema.additionalProperties = false;
      for (const word of Object.keys(jsonSchema)) if (word.startsWith('x-kubernetes-')) delete jsonSchema[word];
    },
  }) as Schema;
  // helm hands itself to the chart as well
  schema.properties = { ...schema.properties, global: { type: 'object', description: "Helm's own; not used." } };
  return { title: 'Values of the CloudFreedom platform chart', ...schema };
}

/** One row of cells per value: path, default, description. Free-form maps are one row. */
function rows(schema: Schema, value: unknown, at: string): string[][] {
  if (!schema.properties) {
    if (value === undefined) return [];
    const shown =
      at.startsWith('catalog.') && typeof value === 'object' ? 'see values.yaml' : `\`${JSON.stringify(value)}\``;
    return [[`\`${at}\``, shown, String(schema.description ?? '').replaceAll('<', '&lt;')]];
  }
  return Object.entries(schema.properties)
    .filter(([name]) => at !== '' || name !== 'global')
    .flatMap(([name, child]) =>
      rows(child, (value as Record<string, unknown> | undefined)?.[name], at === '' ? name : `${at}.${name}`),
    );
}

/** A Markdown table with columns of one width, which is how the formatter wants it. */
function markdownTable(header: string[], body: string[][]): string {
  const widths = header.map((_, column) => Math.max(...[header, ...body].map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

/** What the files should hold. */
function wished(): Map<string, string> {
  const schema = valuesSchema();
  const defaults = parse(readFileSync(file('values.yaml'), 'utf8'));
  const table = markdownTable(['value', 'default', 'what it does'], rows(schema, defaults, ''));
  const readme = readFileSync(file('README.md'), 'utf8').replace(
    /(<!-- values: made by charts\/src\/generate.ts -->)[\s\S]*(<!-- end of values -->)/,
    (_, begin: string, end: string) => `${begin}\n\n${table}\n\n${end}`,
  );
  return new Map([
    ['values.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
    ['README.md', readme],
  ]);
}

/** Names of the files that are not what the source makes. */
export function driftedFiles(): string[] {
  return [...wished()].filter(([name, content]) => readFileSync(file(name), 'utf8') !== content).map(([name]) => name);
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const drifted = driftedFiles();
    for (const name of drifted)
      console.error(`charts/platform/${name} is not what charts/src makes: run make generate`);
    process.exitCode = drifted.length === 0 ? 0 : 1;
  } else {
    for (const [name, content] of wished()) writeFileSync(file(name), content);
  }
}
