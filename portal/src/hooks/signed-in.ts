import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { accountQuery } from '../api/account.ts';
import { forgetPendingSignIn, keepPendingSignIn } from '../api/pending-sign-in.ts';
import type { FirstStep } from '../api/types.ts';
import { noteWayOn, wayOnSearch } from '../layout/way-on.ts';

/** Pages that are not the portal's: the browser has to ask the server for them. */
const ELSEWHERE = /^\/(oidc|v1)\//;

/** Where to go after a step of signing in: to the second one, or to where the person was going. */
export function useSignedIn(to: string | undefined): (step: FirstStep) => Promise<void> {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return async (step) => {
    if (step.status === 'second_factor_required') {
      keepPendingSignIn(step);
      await navigate({ to: '/second-factor', search: wayOnSearch(to) });
      return;
    }
    forgetPendingSignIn();
    noteWayOn(undefined);
    queryClient.clear();
    if (to !== undefined && ELSEWHERE.test(to)) {
      window.location.assign(to);
      return;
    }
    await queryClient.fetchQuery(accountQuery);
    await navigate({ to: to ?? '/' });
  };
}
