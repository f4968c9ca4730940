import { describe, expect, it } from 'vitest';
import { isAlreadyExists, isConflict, isExpired, isInvalid, isNotFound } from './kube-error.ts';
import { kubeErrorOf, kubeErrorOfWatchLine, parseRetryAfter } from './status-answer.ts';

const NOW = Date.parse('2025-01-01T00:00:00Z');

describe('Retry-After', () => {
  it.each([
    ['3', 3_000],
    [' 0 ', 0],
    ['Wed, 01 Jan 2025 00:00:10 GMT', 10_000],
    ['Wed, 01 Jan 2020 00:00:00 GMT', 0],
    ['999999', 300_000],
    ['soon', undefined],
    [undefined, undefined],
  ])('%s means %s ms', (header, expected) => {
    expect(parseRetryAfter(header, NOW)).toBe(expected);
  });
});

describe('an answer that is no success', () => {
  it('carries the reason, the message and the faults of a Status', () => {
    const causes = [{ reason: 'FieldValueInvalid', message: 'must be positive', field: 'spec.replicas' }];
    const status = { kind: 'Status', code: 422, reason: 'Invalid', message: 'it is invalid', details: { causes } };
    const error = kubeErrorOf(422, {}, JSON.stringify(status));
    expect(error).toMatchObject({ status: 422, reason: 'Invalid', message: 'it is invalid' });
    expect(error.faults).toEqual([
      { field: 'spec.replicas', reason: 'FieldValueInvalid', message: 'must be positive' },
    ]);
    expect(isInvalid(error)).toBe(true);
  });

  it('may be the page of some proxy', () => {
    const error = kubeErrorOf(503, { 'retry-after': '7' }, '<html>maintenance</html>');
    expect(error).toMatchObject({ status: 503, reason: 'ServiceUnavailable', retryAfterMs: 7_000 });
    expect(error.message).toContain('maintenance');
    expect(kubeErrorOf(502, {}, '').message).toBe('HTTP 502');
  });

  it('takes the waiting time of the Status where no header gives one', () => {
    const status = { kind: 'Status', code: 429, details: { retryAfterSeconds: 2 } };
    expect(kubeErrorOf(429, {}, JSON.stringify(status)).retryAfterMs).toBe(2_000);
  });

  it('tells apart that it is there already and that it has changed', () => {
    const refused = (code: number, reason: string) =>
      kubeErrorOf(code, {}, JSON.stringify({ kind: 'Status', code, reason }));
    expect([isAlreadyExists, isConflict].map((is) => is(refused(409, 'AlreadyExists')))).toEqual([true, false]);
    expect([isAlreadyExists, isConflict].map((is) => is(refused(409, 'Conflict')))).toEqual([false, true]);
    expect([isNotFound, isExpired].map((is) => is(refused(404, 'NotFound')))).toEqual([true, false]);
    expect([isNotFound, isExpired].map((is) => is(refused(410, 'Expired')))).toEqual([false, true]);
    expect(isNotFound(new Error('404'))).toBe(false);
  });

  it('in a watch is an error whatever its shape', () => {
    expect(kubeErrorOfWatchLine({ kind: 'Status', code: 410, reason: 'Expired' })).toMatchObject({ status: 410 });
    expect(kubeErrorOfWatchLine('what')).toMatchObject({ status: 500 });
  });
});
