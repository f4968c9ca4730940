import type { Asked } from './model.ts';

/** A user or a key in one period. */
export class Subject {
  /** Null: no limit of its own. */
  limit: number | null;
  posted = 0;
  held = 0;

  constructor(limit: number | null) {
    this.limit = limit;
  }

  get free(): number | undefined {
    return this.limit === null ? undefined : this.limit - this.posted - this.held;
  }
}

/** The member that owns the simulated tenant's API key. */
export const KEY_OWNER = 1;
/** Members 1 to this are there from the start. */
export const FIRST_MEMBERS = 3;

/** What users and keys may cost by month: the tenant's default, unless somebody has a limit of their own. */
export class SubBudgets {
  readonly memberDefault: number | null;
  readonly keyDefault: number | null;
  readonly #maxMembers: number | null;
  readonly #members = new Set(Array.from({ length: FIRST_MEMBERS }, (_, index) => index + 1));
  readonly own = new Map<string, number | null>();
  readonly subjects = new Map<string, Subject>();

  constructor(options: { memberBudget: number | null; keyBudget: number | null; maxMembers: number | null }) {
    this.memberDefault = options.memberBudget;
    this.keyDefault = options.keyBudget;
    this.#maxMembers = options.maxMembers;
  }

  /** Whoever chats for the first time takes a seat. @returns whether there is one */
  seats({ user }: Pick<Asked, 'user'>): boolean {
    if (user === null || this.#members.has(user)) return true;
    if (this.#maxMembers !== null && this.#members.size >= this.#maxMembers) return false;
    this.#members.add(user);
    return true;
  }

  /** The user's and the key's balance of a month, made where this is the first that is heard of them. */
  open(period: string, { user, key }: Pick<Asked, 'user' | 'key'>): [Subject | undefined, Subject | undefined] {
    const member = key === 'api' ? KEY_OWNER : user;
    return [
      member === null ? undefined : this.#subject(`user-${member}`, period),
      key === 'api' ? this.#subject('key', period) : undefined,
    ];
  }

  /** Changed limits count for the present month, from now on. */
  refresh(period: string): void {
    for (const [name, subject] of this.subjects) {
      if (name.endsWith(` ${period}`)) subject.limit = this.#limitOf(name.slice(0, name.indexOf(' ')));
    }
  }

  /** Every balance that something was ever billed or held on, for comparison. */
  facts(): string {
    const moved = [...this.subjects].filter(([, { posted, held }]) => posted !== 0 || held !== 0);
    return moved
      .map(([name, { limit, posted, held }]) => `${name} ${limit ?? 'unlimited'}: ${posted} + ${held}`)
      .sort()
      .join(', ');
  }

  #subject(name: string, period: string): Subject {
    const key = `${name} ${period}`;
    const subject = this.subjects.get(key) ?? new Subject(this.#limitOf(name));
    this.subjects.set(key, subject);
    return subject;
  }

  #limitOf(name: string): number | null {
    return this.own.get(name) ?? (name === 'key' ? this.keyDefault : this.memberDefault);
  }
}
