import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { parseModel } from '../model.ts';
import { type Parsed, problemsText } from '../parse.ts';
import { parsePlan } from '../plan.ts';
import { parseTenant } from '../tenant.ts';

const folder = path.resolve(import.meta.dirname, '../../examples');

/** An object as a file holds it, before anybody judged it. */
export interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: Record<string, unknown>;
}

/** One example file: its objects, and what its comments say is expected: `# message: …`. */
export interface Example {
  name: string;
  objects: Manifest[];
  expected: Record<string, string>;
}

/** The files of `crds/examples/<where>`, by name. */
export function examples(where: 'valid' | 'invalid' | 'changes/allowed' | 'changes/refused'): Example[] {
  return readdirSync(path.join(folder, where))
    .sort()
    .map((file) => {
      const content = readFileSync(path.join(folder, where, file), 'utf8');
      const comments = content.matchAll(/^# ([a-z ]+):[ ]?(.*)$/gm);
      return {
        name: file.replace(/\.yaml$/, ''),
        objects: parseAllDocuments(content).map((document) => document.toJS() as Manifest),
        expected: Object.fromEntries([...comments].map(([, key, value]) => [key, value])),
      };
    });
}

/** Our own verdict, whatever the kind. */
export function parseManifest(manifest: Manifest): Parsed<unknown> {
  if (manifest.kind === 'Tenant') return parseTenant(manifest);
  return manifest.kind === 'Plan' ? parsePlan(manifest) : parseModel(manifest);
}

/** A verdict, whoever gave it. */
export interface Verdict {
  accepted: boolean;
  message: string;
}

export function ourVerdict(manifest: Manifest): Verdict {
  const parsed = parseManifest(manifest);
  return parsed.ok ? { accepted: true, message: '' } : { accepted: false, message: problemsText(parsed.problems) };
}
