/** What a reader should know before the first call. Markdown. */
export const INTRODUCTION = `The API of CloudFreedom: tenants with their budgets, people, keys and usage.

**Amounts** are integer nano-EUR as decimal strings; fields that hold them end in \`NanoEur\`.

**Errors** are problem+json (RFC 9457). \`code\` is stable and for programs, \`detail\` is for people.

**Who calls**: a person by the session cookie of the portal, or a program by \`Authorization: Bearer\` with an API key or a
service token. A tenant that the caller is not in is answered as one that does not exist.

**Repetitions**: a POST may carry an \`Idempotency-Key\`. A repetition with it has no second effect and gets the answer of the
first try; another request with it is refused (422 \`idempotency_key_reused\`), and one that comes while the first is under
way is, too (409 \`idempotency_in_progress\`). PUT and DELETE may be repeated without.

**Changes**: what is read has an \`ETag\`. \`If-None-Match\` saves its body (304), \`If-Match\` makes a write happen only where
nothing has changed (412 \`precondition_failed\`).

**Lists** come in pages: give \`nextCursor\` back as \`cursor\` until it is null.

**Limits** hold per caller, address and tenant. \`RateLimit\` and \`RateLimit-Policy\` say what is left, \`Retry-After\` of a 429
(\`rate_limited\`) when to go on.

**Events** of a tenant are a stream of server-sent events that resumes after the last one seen.`;

/** What each group of operations is. */
export const TAGS: Readonly<Record<string, string>> = {
  Account: 'The person who is signed in: profile, sessions, address, password',
  Alerts: 'Thresholds that budgets have reached, and who was told',
  Audit: 'Who changed what, when and from where',
  Events: 'What happens to a tenant, live',
  Files: 'Logos, exports and invoices',
  Gateway: 'What LiteLLM’s hook asks: hold before a call, post after it',
  Grants: 'Money that comes into a budget, and corrections',
  Keys: 'API keys of people and machines, and service tokens',
  Members: 'People in a tenant, their roles and seats',
  Models: 'What can be called, and at what price',
  Plans: 'What is sold',
  Privacy: 'A person’s own data: export, consent, erasure',
  Reconciliations: 'The ledger compared with its replay',
  'Second factors': 'Codes, recovery codes and passkeys of the person who is signed in',
  'Sign-in': 'Ways to sign in: other providers, passkeys, the second step',
  'Sign-on': 'The keys that sign people into the tenants’ chats',
  System: 'Health, metrics and this description',
  Tenants: 'Tenants, their registration and budget',
  Usage: 'What was used and what it cost',
  Users: 'Users of a tenant’s chat, and their budgets',
};
