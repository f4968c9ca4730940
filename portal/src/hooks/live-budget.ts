import { followEvents } from '@cloudfreedom/control-plane/client/events.ts';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { budgetQuery } from '../api/tenants.ts';

/** Events after which the figures are read anew. */
const MOVES = ['usage.posted', 'budget.*'];

/**
 * Keeps a tenant's budget and usage as fresh as the ledger; says whether it is being told at the moment. Who may not read
 * the tenant's events has `enabled` false.
 */
export function useLiveBudget(tenant: string, enabled: boolean): boolean {
  const queryClient = useQueryClient();
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    if (!enabled) return;
    const ending = new AbortController();
    const refresh = () => {
      void queryClient.invalidateQueries({ queryKey: budgetQuery(tenant).queryKey });
      void queryClient.invalidateQueries({ queryKey: ['tenant', tenant, 'usage'] });
    };
    const follow = async () => {
      const onConnection = (now: boolean) => {
        setConnected(now);
        if (now) refresh();
      };
      for await (const _ of followEvents({ tenant, types: MOVES, signal: ending.signal, onConnection })) refresh();
    };
    follow().catch(() => setConnected(false));
    return () => ending.abort();
  }, [tenant, enabled, queryClient]);
  return connected;
}
