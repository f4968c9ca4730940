import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { NOW_MS, settings, tenantInput } from '../testing/tenant-input.ts';
import { decide } from './decide.ts';
import type { Action } from './decision.ts';
import type { TenantInput } from './input.ts';
import { freshSecrets } from './secrets.ts';
import type { Settings } from './settings.ts';

// Each folder of testdata is a case: input.yaml is what the operator sees, golden.yaml all that it then does. The case
// `minimal` is complete; of every other, golden.yaml holds only what differs from it. `UPDATE_GOLDENS=1` writes them.
const folder = path.join(import.meta.dirname, 'testdata');
const update = process.env.UPDATE_GOLDENS === '1';
const cases = readdirSync(folder).sort();

type CaseInput = Partial<Omit<TenantInput, 'settings'>> &
  Pick<TenantInput, 'tenant'> & { settings?: Partial<Settings> };

function outcome(name: string): { actions: Record<string, unknown>; status: unknown } {
  const given = parse(readFileSync(path.join(folder, name, 'input.yaml'), 'utf8')) as CaseInput;
  const input = tenantInput({
    ...given,
    now: NOW_MS,
    settings: { ...settings, ...given.settings },
    fresh: freshSecrets((bytes) => `random-of-${bytes}-bytes`, given.tenant.metadata.name),
  });
  const { actions, status } = decide(input);
  return { actions: Object.fromEntries(actions.map((action) => described(action))), status };
}

/** An action as a reader wants to see it: what it does to which object, then the object. */
function described(action: Action): [string, unknown] {
  switch (action.do) {
    case 'apply':
    case 'create':
      return [`${action.do} ${action.object.kind} ${action.object.metadata.name}`, action.object];
    case 'delete':
      return [`delete ${action.object.kind} ${action.object.metadata.name}`, {}];
    case 'issueCertificate':
      return [action.do, { hosts: action.hosts, secret: action.secret }];
    case 'register':
      return [action.do, action.registration];
    default: {
      const { do: what, ...rest } = action;
      return [what, rest];
    }
  }
}

function goldenOf(name: string): unknown {
  const { actions, status } = outcome(name);
  if (name === 'minimal') return { actions, status };
  const base = outcome('minimal').actions;
  const changed = Object.entries(actions).filter(([key, value]) => !isDeepStrictEqual(value, base[key]));
  const absent = Object.keys(base).filter((key) => !(key in actions));
  return { changed: Object.fromEntries(changed), absent, status };
}

describe('what the operator does about a new Tenant', () => {
  it.each(cases)('%s', (name) => {
    const file = path.join(folder, name, 'golden.yaml');
    const text = stringify(goldenOf(name), { lineWidth: 0, aliasDuplicateObjects: false });
    if (update) writeFileSync(file, text);
    expect(existsSync(file), 'run with UPDATE_GOLDENS=1').toBe(true);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  it('has no file in testdata that no case uses', () => {
    for (const name of cases) {
      expect(readdirSync(path.join(folder, name)).sort(), name).toEqual(['golden.yaml', 'input.yaml']);
    }
  });
});
