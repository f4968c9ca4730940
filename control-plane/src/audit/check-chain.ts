import {
  commitment,
  genesis,
  hashedFields,
  hashOfFields,
  type StoredEntry,
  type StoredPersonal,
} from './stored-entry.ts';

/**
 * What can be wrong with an entry:
 *   changed    a column is not what it was when the hash was made, or it stood elsewhere in the chain
 *   unlinked   it does not follow on the entry before it
 *   missing    it is gone, alone or with others up to `through`
 *   inserted   it stands where the chain has no place: before its anchor or after its head
 *   personal   a personal value is not the one that was committed to, or its row is gone
 *   head       the head of the chain names another entry as the last
 */
export type AuditFault = {
  readonly sequence: bigint;
  readonly through?: bigint;
  readonly fault: 'changed' | 'unlinked' | 'missing' | 'inserted' | 'personal' | 'head';
};

/** Where a chain begins (its newest anchor, or its very start) and where it ends by its head. */
export type ChainEnds = {
  readonly chain: bigint;
  readonly anchor: { readonly sequence: bigint; readonly hash: Buffer } | undefined;
  readonly head: { readonly sequence: bigint; readonly hash: Buffer } | undefined;
};

/** Walks along a chain, entry by entry in their order, and collects what is wrong. No database, no clock. */
export class ChainCheck {
  readonly faults: AuditFault[] = [];
  entries = 0;
  erasedValues = 0;
  readonly #ends: ChainEnds;
  #expected: bigint;
  /** What the next entry has to name as the hash before it; undefined: the one before it is missing or changed. */
  #before: Buffer | undefined;
  #last: StoredEntry | undefined;

  constructor(ends: ChainEnds) {
    this.#ends = ends;
    this.#expected = (ends.anchor?.sequence ?? 0n) + 1n;
    this.#before = ends.anchor?.hash ?? genesis(ends.chain);
  }

  next(entry: StoredEntry, personal: readonly StoredPersonal[]): void {
    this.entries += 1;
    const { sequence } = entry;
    if (sequence < this.#expected || sequence > (this.#ends.head?.sequence ?? 0n)) {
      this.faults.push({ sequence, fault: 'inserted' });
      return;
    }
    if (sequence > this.#expected) {
      this.#missing(sequence - 1n);
      this.#before = undefined;
    }
    const before = this.#before;
    this.#before = entry.hash;
    if (!hashOfFields(hashedFields(entry)).equals(entry.hash)) {
      this.faults.push({ sequence, fault: 'changed' });
      // What it was, and with it what the next one has to name, is not known any more.
      this.#before = undefined;
    } else if (before !== undefined && !before.equals(entry.previous)) {
      this.faults.push({ sequence, fault: 'unlinked' });
    } else if (!this.#personalIsRight(entry, personal)) {
      this.faults.push({ sequence, fault: 'personal' });
    }
    this.#expected = sequence + 1n;
    this.#last = entry;
  }

  end(): void {
    const { head } = this.#ends;
    if (head === undefined) return;
    if (this.#expected <= head.sequence) this.#missing(head.sequence);
    else if (this.#before !== undefined && !this.#before.equals(head.hash)) {
      this.faults.push({ sequence: this.#last?.sequence ?? head.sequence, fault: 'head' });
    }
  }

  #missing(through: bigint): void {
    const range = through > this.#expected ? { through } : {};
    this.faults.push({ sequence: this.#expected, ...range, fault: 'missing' });
  }

  #personalIsRight(entry: StoredEntry, personal: readonly StoredPersonal[]): boolean {
    const rows = new Map(personal.map((row) => [row.place, row]));
    const right = entry.personal.every((committed, index) => {
      const row = rows.get(index + 1);
      if (row === undefined) return false;
      if (row.value === null || row.salt === null) {
        this.erasedValues += 1;
        return true;
      }
      return commitment(row.salt, row.value).equals(committed);
    });
    return right && rows.size === entry.personal.length;
  }
}
