import type pg from 'pg';
import { z } from 'zod';
import type { LedgerModel } from './model.ts';

/** The ledger does not do what its rules say. */
export class Violation extends Error {}

const Line = z.object({
  sequence: z.number(),
  kind: z.string(),
  amount: z.number(),
  released: z.number(),
  granted: z.number(),
  posted: z.number(),
  held: z.number(),
  overrun: z.number(),
  request: z.string().nullable(),
  grant: z.string().nullable(),
});
type Line = z.output<typeof Line>;

const State = z.object({
  granted: z.bigint().transform(Number),
  posted: z.bigint().transform(Number),
  held: z.bigint().transform(Number),
  overrun: z.bigint().transform(Number),
  sequence: z.bigint().transform(Number),
  changed_at: z.union([z.date(), z.number()]),
  period: z.string(),
  lines: z.array(Line),
  subs: z.string().nullable(),
});

const STATE = `
  select b.granted, b.posted, b.held, b.overrun, b.sequence, b.changed_at, b.period,
    (select coalesce(jsonb_agg(jsonb_build_object('sequence', e.sequence, 'kind', e.kind, 'amount', e.amount,
       'released', e.released, 'granted', e.granted_after, 'posted', e.posted_after, 'held', e.held_after,
       'overrun', e.overrun_after, 'request', e.request_id,
       'grant', case e.kind when 'grant' then (select idempotency_key from ledger_grant g
         where g.account_id = e.account_id and g.sequence = e.sequence) end) order by e.sequence), '[]')
     from ledger_entry e where e.account_id = b.account_id and e.sequence > $2) as lines,
    (select string_agg(s.name, ', ' order by s.name) from (
       select coalesce(m.external_id, 'key') || ' ' || q.period || ' ' || coalesce(q.wished::text, 'unlimited') || ': '
         || q.posted || ' + ' || q.held as name
       from sub_balance q left join member m on m.id = q.subject_id
       where q.account_id = b.account_id and (q.posted <> 0 or q.held <> 0)) s) as subs
  from balance b where b.account_id = $1`;

/** How each kind of line moves a balance: granted, posted, held, overrun. */
const MOVES: Readonly<Record<string, (line: Line) => readonly [number, number, number, number]>> = {
  grant: ({ amount }) => [amount, 0, 0, 0],
  lapse: ({ amount }) => [-amount, 0, 0, 0],
  hold: ({ amount }) => [0, 0, amount, 0],
  post: ({ amount, released }) => [0, amount, -released, 0],
  void: ({ amount }) => [0, 0, -amount, 0],
  expire: ({ amount }) => [0, 0, -amount, 0],
  lease: ({ amount }) => [0, 0, amount, 0],
  draw: ({ amount }) => [0, 0, -amount, 0],
  overrun: ({ amount }) => [0, 0, 0, amount],
  refuse: () => [0, 0, 0, 0],
  refund: ({ amount }) => [0, -amount, 0, 0],
  revoke: ({ amount }) => [-amount, 0, 0, 0],
};

type Balance = { readonly granted: number; readonly posted: number; readonly held: number; readonly overrun: number };

/** Looks at the stored ledger after every step: its lines must add up, stay within the grants, and be the model's. */
export class Observer {
  readonly #pool: pg.Pool;
  readonly #account: bigint;
  #sequence = 0;
  readonly #lines = new Map<string, number>();
  #balance: Balance = { granted: 0, posted: 0, held: 0, overrun: 0 };
  /** When the account was last moved, by its own clock, which never goes back. */
  changedAtMs = Number.NEGATIVE_INFINITY;

  constructor(pool: pg.Pool, account: bigint) {
    this.#pool = pool;
    this.#account = account;
  }

  async check(model: LedgerModel): Promise<void> {
    const { rows } = await this.#pool.query({
      name: 'simulation_state',
      text: STATE,
      values: [this.#account, this.#sequence],
    });
    const state = State.parse(rows[0]);
    for (const line of state.lines) this.#follow(line);
    if (state.sequence !== this.#sequence)
      throw new Violation('invariant 4: the balance counts lines that are not there');
    if (show(state) !== show(this.#balance)) {
      throw new Violation(`invariant 4: the balance is ${show(state)}, its lines say ${show(this.#balance)}`);
    }
    if (show(state) !== show(model)) throw new Violation(`the balance is ${show(state)}, and should be ${show(model)}`);
    if ((state.subs ?? '') !== model.subs.facts()) {
      throw new Violation(`users and keys have ${state.subs}, and should have ${model.subs.facts()}`);
    }
    if (state.period !== model.period) {
      throw new Violation(`the period is ${state.period}, and should be ${model.period}`);
    }
    const changedAtMs = Number(state.changed_at);
    if (changedAtMs < this.changedAtMs) throw new Violation('the account’s clock went back');
    this.changedAtMs = changedAtMs;
  }

  /** The line of a grant, or of a request's posting, where there is one. */
  lineOf(of: { readonly grant: string } | { readonly request: string }): number | undefined {
    return this.#lines.get('grant' in of ? `grant ${of.grant}` : `post ${of.request}`);
  }

  #follow(line: Line): void {
    this.#lines.set(`${line.kind} ${line.request ?? line.grant}`, line.sequence);
    const moves = MOVES[line.kind]?.(line);
    if (moves === undefined) throw new Violation(`there is no line of kind ${line.kind}`);
    const [granted, posted, held, overrun] = moves;
    const before = this.#balance;
    this.#balance = {
      granted: before.granted + granted,
      posted: before.posted + posted,
      held: before.held + held,
      overrun: before.overrun + overrun,
    };
    this.#sequence += 1;
    if (line.sequence !== this.#sequence) throw new Violation(`invariant 4: line ${this.#sequence} is missing`);
    if (show(line) !== show(this.#balance)) {
      throw new Violation(`invariant 4: line ${line.sequence} says ${show(line)}, it should be ${show(this.#balance)}`);
    }
    const { granted: limit, posted: spent, held: live } = this.#balance;
    if (spent + live > limit) throw new Violation(`invariant 1: overspent after line ${line.sequence}: ${show(line)}`);
  }
}

function show({ granted, posted, held, overrun }: Balance): string {
  return `granted ${granted}, posted ${posted}, held ${held}, overrun ${overrun}`;
}
