import { type JsonSchema, jsonSchema } from '../json-schema.ts';
import { kinds } from '../kinds.ts';
import type { Manifest } from './examples.ts';

/** Numbers in [0, 1) from a seed: mulberry32, so that a failing run can be repeated exactly. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values near every border that the schemas draw, and some that belong elsewhere. */
const strangers: readonly unknown[] = [
  ...[null, true, false, 0, 1, -1, 5, 6, 90, 91, 100, 101, 200, 1.5, 1e9, 1e30, [], {}, [null], [''], { a: 1 }],
  ...['', ' ', 'a', 'A', 'a-', '-a', 'a.b', 'a..b', 'demo', 'demo\n', 'a'.repeat(63), 'a'.repeat(64), 'a'.repeat(254)],
  ...[
    'ä',
    '🦊'.repeat(60),
    '🦊'.repeat(61),
    '\u0000',
    'api',
    'www',
    'de',
    'en',
    'eu',
    'any',
    'Retain',
    'mini',
    'image',
  ],
  ...[
    'a@b.de',
    'a@b',
    'a@b.d',
    'A.B+c@sub.b.de',
    'ä@b.de',
    'a b@b.de',
    'x.example',
    'x.example.',
    'xn--a.example',
    '1.2.3.4',
  ],
  ...['Europe/Berlin', 'Europe/berlin', 'UTC', 'Local', 'EST', 'Etc/GMT+5', 'Asia/Kolkata', 'Europe/Kyiv', 'Mars/Base'],
  ...[
    '0',
    '0.00',
    '00',
    '1',
    '1.',
    '.5',
    '0.05',
    '0.001',
    '25.00',
    '999999999.99',
    '1000000000',
    '-1',
    '+1',
    '1e3',
    '٣',
  ],
  ...['1m', '999999m', '0m', '1000', '0.5', '1Gi', '1024Mi', '1Ti', '1G', '0Gi', '999999Ti', '1gi'],
  ...[
    '* * * * *',
    '*/5 * * * *',
    '60 * * * *',
    '0 0 31 12 6',
    '0 0 * * 7',
    '0  0 * * *',
    '1-5,*/2 0 1 1 0',
    '5-1 * * * *',
  ],
  ...[
    'https://a.example',
    'http://a.example:80/v1',
    'ftp://a.example',
    'https://u:p@a.example',
    'https://a.example/?q=1',
  ],
];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A copy of the manifest with one or two small changes below `spec` or to its name: a field set to a stranger, taken
 * away, added (known or unknown) or a list item doubled.
 */
export function mutate(manifest: Manifest, random: () => number): Manifest {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const schema = jsonSchema(
    (kinds.find(({ kind }) => kind === manifest.kind) ?? (kinds[0] as never as (typeof kinds)[0])).schema,
  );
  const copy = structuredClone(manifest);
  const stranger = () => structuredClone(pick(strangers));

  const change = (holder: Record<string, unknown>, node: JsonSchema | undefined): void => {
    const known = Object.keys(node?.properties ?? {});
    const present = Object.keys(holder);
    const name =
      random() < 0.05 ? 'surprise' : pick(known.length === 0 || random() < 0.6 ? [...present, ...known] : known);
    if (name === undefined) return;
    const value = holder[name];
    const child = node?.properties?.[name];
    if (isObject(value) && random() < 0.8) change(value, child);
    else if (Array.isArray(value) && value.length > 0 && random() < 0.7) changeList(value, child?.items);
    else if (child?.properties && value === undefined && random() < 0.6) {
      const fresh: Record<string, unknown> = {};
      holder[name] = fresh;
      change(fresh, child);
    } else if (Array.isArray(child?.enum) && random() < 0.5) holder[name] = pick(child.enum as unknown[]);
    else if (child?.type === 'array' && random() < 0.5) holder[name] = [stranger(), stranger()];
    else if (random() < 0.15) delete holder[name];
    else holder[name] = stranger();
  };
  const changeList = (list: unknown[], node: JsonSchema | undefined): void => {
    const index = Math.floor(random() * list.length);
    const item = list[index];
    const roll = random();
    if (isObject(item) && roll < 0.7) change(item, node);
    else if (roll < 0.8) list.push(structuredClone(item));
    else if (roll < 0.9) list.splice(index, 1);
    else list[index] = stranger();
  };

  const times = 1 + Math.floor(random() * 2);
  for (let time = 0; time < times; time++) {
    if (random() < 0.04)
      copy.metadata.name = String(pick(strangers.filter((value) => typeof value === 'string' && value !== '')));
    else change(copy.spec, schema.properties?.spec);
  }
  return copy;
}
