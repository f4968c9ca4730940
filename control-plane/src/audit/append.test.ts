import { expect, test } from 'vitest';
import { changesNothing, prepareEntry } from './append.ts';
import type { AuditEntry } from './entry.ts';

const entry: AuditEntry = { tenant: 7n, actor: { kind: 'admin', id: null, name: null }, action: 'createKey' };

function prepared(more: Partial<AuditEntry>) {
  const { columns, personal } = prepareEntry({ ...entry, ...more });
  const [chain, actorKind, actorId, actor, action, targetKind, targetId, before, after, requestId] = columns;
  return { chain, actorKind, actorId, actor, action, targetKind, targetId, before, after, requestId, personal };
}

test('who did it from where is set apart, under the person it belongs to', () => {
  const id = '0b0f3f0e-7d0c-4c3e-8f5e-0e8f1f2a3b4c';
  const from = { address: '192.0.2.1', userAgent: 'curl/8' };
  expect(prepared({ actor: { kind: 'person', id, name: 'Anna' }, from })).toMatchObject({
    chain: 7n,
    actorKind: 'person',
    actorId: id,
    actor: 'personal:1',
    personal: [{ value: '{"address":"192.0.2.1","name":"Anna","userAgent":"curl/8"}', subject: id }],
  });
  expect(prepared({})).toMatchObject({ actor: null, personal: [] });
});

test('only what differs is kept of before and after, a changed secret as redacted on both sides', () => {
  const before = { plan: 'starter', models: ['a'], secret: 'one', inner: { same: 1, gone: 2n } };
  const after = { plan: 'starter', models: ['a', 'b'], secret: 'two', inner: { same: 1, come: new Date(0) } };
  expect(prepared({ before, after })).toMatchObject({
    before: '{"inner":{"gone":"2"},"models":["a"],"secret":"[redacted]"}',
    after: '{"inner":{"come":"1970-01-01T00:00:00.000Z"},"models":["a","b"],"secret":"[redacted]"}',
  });
});

test('a mail address is set apart wherever it stands, and what imitates a reference too', () => {
  const after = { owners: ['anna@example.test'], note: 'personal:1', text: 'hello' };
  expect(prepared({ after, target: { kind: 'address', id: 'bob@example.test' } })).toMatchObject({
    targetId: 'personal:1',
    after: '{"note":"personal:3","owners":["personal:2"],"text":"hello"}',
    personal: [{ value: 'bob@example.test' }, { value: 'anna@example.test' }, { value: 'personal:1' }],
  });
});

test('everything about a person is that person’s', () => {
  const target = { kind: 'person', id: '0b0f3f0e-7d0c-4c3e-8f5e-0e8f1f2a3b4c' };
  expect(prepared({ target, before: { name: 'A' }, after: { name: 'B' } })).toMatchObject({
    before: '"personal:1"',
    after: '"personal:2"',
    personal: [
      { value: '{"name":"A"}', subject: target.id },
      { value: '{"name":"B"}', subject: target.id },
    ],
  });
});

test('a document that is too large is kept by its size, and texts that Postgres cannot hold are made fit', () => {
  expect(prepared({ after: { text: 'x'.repeat(40_000) } })).toMatchObject({ after: '{"tooLarge":40011}' });
  expect(prepared({ after: { text: 'a\u0000b\ud800' } })).toMatchObject({ after: '{"text":"a\ufffdb\ufffd"}' });
});

test('an entry that would say that nothing changed is known as one', () => {
  expect(changesNothing({ before: { a: 1n, b: undefined }, after: { a: '1' } })).toBe(true);
  expect(changesNothing({ before: { a: 1 }, after: { a: 2 } })).toBe(false);
  expect(changesNothing({ after: { a: 2 } })).toBe(false);
});
