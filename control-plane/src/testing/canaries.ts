import type pg from 'pg';
import type { Api } from './api.ts';
import type { MailCatcher } from './receivers.ts';

/** A secret that was planted, and the one answer or mail that may show it. */
type Canary = { readonly what: string; readonly secret: string; readonly shownIn: unknown };

type Answer = { readonly request: string; readonly text: string };

/** Watches everything that leaves a control plane, and searches it for secrets. */
export type Canaries = {
  /** The API, every answer of which is kept. */
  readonly api: Api;
  /** Plants a secret that nothing may show. @returns it */
  readonly plant: (what: string, secret: string) => string;
  /** Plants a secret that the answer given last has shown, as it should. @returns it */
  readonly shown: (what: string, secret: unknown) => string;
  /** The same for the token of a mail, which only this mail may show. */
  readonly mailed: (what: string, secret: string) => string;
  /** Where any of them shows: in logs, other answers, other mails, and every column of the database. */
  readonly search: () => Promise<string[]>;
};

export function watch(api: Api, mails: MailCatcher): Canaries {
  const canaries: Canary[] = [];
  const answers: Answer[] = [];
  const call: Api['call'] = async (method, path, ...rest) => {
    const answer = await api.call(method, path, ...rest);
    const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    answers.push({ request: `${method} ${path}`, text: `${headers}\n${body}` });
    return answer;
  };
  const plant = (what: string, secret: string, shownIn: unknown) => {
    if (secret.length < 6) throw new Error(`${what} is too short to be searched for`);
    canaries.push({ what, secret, shownIn });
    return secret;
  };
  return {
    api: { ...api, call },
    plant: (what, secret) => plant(what, secret, undefined),
    shown: (what, secret) => plant(what, String(secret), answers.at(-1)),
    mailed: (what, secret) =>
      plant(
        what,
        secret,
        mails.mails.find(({ text }) => text?.includes(secret)),
      ),
    search: async () => {
      const found: string[] = [];
      const log = api.log.join('\n');
      const columns = await columnsOf(api.pool);
      for (const { what, secret, shownIn } of canaries) {
        for (const [spelling, needle] of spellingsOf(secret)) {
          const note = (where: string) => found.push(`${what} (${spelling}) in ${where}`);
          if (log.includes(needle)) note(`the log: ${api.log.find((line) => line.includes(needle))?.slice(0, 200)}`);
          for (const answer of answers) {
            if (answer !== shownIn && answer.text.includes(needle)) note(`the answer to ${answer.request}`);
          }
          for (const mail of mails.mails) {
            const text = `${mail.subject} ${mail.text} ${mail.html}`;
            if (mail !== shownIn && text.includes(needle)) note(`the mail "${mail.subject}"`);
          }
        }
        for (const column of await holders(api.pool, columns, secret)) found.push(`${what} in ${column}`);
      }
      return found;
    },
  };
}

/** How a secret may be written down. */
function spellingsOf(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  return new Map([
    ['plain', secret],
    ['base64', bytes.toString('base64').replace(/=+$/, '').slice(0, -1)],
    ['hex', bytes.toString('hex')],
    ['URL', encodeURIComponent(secret)],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
  ]);
}

type Column = { readonly table: string; readonly column: string; readonly isBytes: boolean };

async function columnsOf(pool: pg.Pool): Promise<Column[]> {
  const { rows } = await pool.query<Column>(
    `select c.relname as table, a.attname as column, a.atttypid in ('bytea'::regtype, 'bytea[]'::regtype) as "isBytes"
     from pg_attribute a join pg_class c on c.oid = a.attrelid
     where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped`,
  );
  return rows;
}

/** Columns that hold a secret: as text, or in bytes as itself or as what its base64 stands for. */
async function holders(pool: pg.Pool, columns: readonly Column[], secret: string): Promise<string[]> {
  const raw = secret.replace(/^[a-z]+[-_]/, '');
  const needles = [Buffer.from(secret), Buffer.from(raw, 'base64'), Buffer.from(raw, 'hex')]
    .filter(({ length }) => length >= 6)
    .map((bytes) => bytes.toString('hex'));
  const byTable = Map.groupBy(columns, ({ table }) => table);
  const found: string[] = [];
  for (const [table, of] of byTable) {
    const tests = of.map(({ column, isBytes }) =>
      isBytes
        ? `bool_or(exists (select from unnest($2::text[]) n where strpos("${column}"::text, n) > 0)) as "${column}"`
        : `bool_or(strpos("${column}"::text, $1) > 0) as "${column}"`,
    );
    const values = of.some(({ isBytes }) => isBytes) ? [secret, needles] : [secret];
    const unused = of.every(({ isBytes }) => isBytes) ? ', $1::text as unused' : '';
    const { rows } = await pool.query(`select ${tests.join(', ')}${unused} from "${table}"`, values);
    for (const { column } of of) if (rows[0]?.[column] === true) found.push(`${table}.${column}`);
  }
  return found;
}
