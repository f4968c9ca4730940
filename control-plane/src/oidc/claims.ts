import type { Account } from 'oidc-provider';
import type { Admitted } from './admission.ts';

/** Open WebUI's role of everybody who comes in. Never empty: it would let an account keep whatever role it had. */
const CHAT_ROLES = ['user'];

/** Which claims each scope gives. A chat always learns roles and groups: without them it would not let anybody in. */
export const CLAIMS = {
  openid: ['sub', 'roles', 'groups'],
  email: ['email', 'email_verified'],
  profile: ['name', 'locale'],
};

/** The person as the library calls it: who it is, and what a chat is told. */
export function accountOf({ personId, email, name, language, role }: Admitted): Account {
  return {
    accountId: personId,
    claims: () => ({
      sub: personId,
      email,
      // Nobody is let in with another.
      email_verified: true,
      name,
      locale: language,
      roles: CHAT_ROLES,
      groups: [role],
    }),
  };
}
