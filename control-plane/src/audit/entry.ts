/** Anything that JSON can hold; `undefined` and bigint may come in and leave as nothing and as a decimal string. */
export type AuditDocument = unknown;

/** Who did it. `id` never changes and says nothing about a person; `name` is how they were called at that time. */
export type AuditActor = {
  readonly kind: 'person' | 'key' | 'service' | 'admin' | 'operator' | 'kubernetes' | 'system' | 'anonymous';
  readonly id: string | null;
  readonly name: string | null;
  /** Whose personal data name, address and user agent are; forgotten with that person. */
  readonly personId?: string | null;
};

/** What was done to. Where it is somebody (`isPersonalKind`), the whole of before and after is that person's data. */
export type AuditTarget = { readonly kind: string; readonly id: string | null };

/** One thing that was done. */
export type AuditEntry = {
  /** The tenant whose chain it belongs to; null: the platform's. */
  readonly tenant: bigint | null;
  readonly actor: AuditActor;
  /** A name that never changes: a route's id, or one like `sign_in.failed`. */
  readonly action: string;
  readonly target?: AuditTarget | null;
  /** Where both are given, only what differs is kept. Secrets are redacted, mail addresses set apart. */
  readonly before?: AuditDocument;
  readonly after?: AuditDocument;
  readonly from?: { readonly address: string | null; readonly userAgent: string | null };
  readonly requestId?: string | null;
};

/** What jobs of the platform itself sign with: the sweeper, retention, the reconciler. */
export function systemActor(job: string): AuditActor {
  return { kind: 'system', id: job, name: null };
}

/** People, and the address of a tenant's own system, which must go with the tenant. */
const PERSONAL_KINDS: ReadonlySet<string> = new Set([
  'person',
  'user',
  'member',
  'membership',
  'invitation',
  'webhook',
]);

/** Kinds of targets whose documents are set apart from beginning to end. */
export function isPersonalKind(kind: string | null): boolean {
  return kind !== null && PERSONAL_KINDS.has(kind);
}
