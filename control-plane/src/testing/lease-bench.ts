import type { TenantRegistration } from '../catalogue/registrations.ts';
import { type LeaseOutcome, Leases } from '../ledger/leases.ts';
import type { SettleOutcome } from '../ledger/ledger.ts';
import { type LedgerBench, type LedgerBenchOptions, ledgerBench, settlementOf, TERMS } from './ledger-bench.ts';

/** An account and its leases, spoken to in amounts. */
export type LeaseBench = LedgerBench & {
  /** Takes a lease, or makes it last longer. */
  readonly lease: (wished: bigint, leaseId: string) => Promise<LeaseOutcome>;
  /** Settles a call that was made within a lease, for this user of the chat. */
  readonly settleLeased: (
    leaseId: string,
    requestId: string,
    total: bigint,
    more?: { boundNanoEur?: bigint; user?: string },
  ) => Promise<SettleOutcome>;
};

export async function leaseBench(options: LedgerBenchOptions & { readonly holdTtlMs: number }): Promise<LeaseBench> {
  const { pool, holdTtlMs } = options;
  const leases = new Leases(pool, options.now);
  const of = await ledgerBench(options);
  const read = async () => {
    const { rows } = await pool.query<{ tenant: bigint; catalogue: bigint; key: Buffer }>(
      `select t.revision as tenant, c.revision as catalogue, k.sha256 as key from catalogue c, tenant t
       join api_key k on k.tenant_id = t.id and k.kind = 'chat' where t.id = $1`,
      [of.tenant],
    );
    if (rows[0] === undefined) throw new Error('the tenant was not stored');
    return rows[0];
  };
  let known = await read();
  return {
    ...of,
    register: async (more: Partial<TenantRegistration>) => {
      await of.register(more);
      known = await read();
    },
    lease: (wishedNanoEur, leaseId) =>
      leases.take({
        account: of.account,
        tenant: of.tenant,
        tenantRevision: known.tenant,
        catalogueRevision: known.catalogue,
        leaseId,
        basis: {},
        wishedNanoEur,
        holdTtlMs,
      }),
    settleLeased: (leaseId, requestId, total, { boundNanoEur = total, user } = {}) =>
      leases.settle(settlementOf(of.account, requestId, total), {
        leaseId,
        tenant: of.tenant,
        keySha256: known.key,
        user: user === undefined ? undefined : { externalId: user },
        boundNanoEur,
        maxOutputTokens: 1,
        terms: TERMS,
        holdTtlMs,
      }),
  };
}
