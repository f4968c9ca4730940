import type { Account } from './account.ts';

export const GITHUB_PATHS = {
  authorize: '/login/oauth/authorize',
  token: '/login/oauth/access_token',
  user: '/user',
  emails: '/user/emails',
} as const;

/** GET /user. The address of the profile is whatever its owner wrote there; only /user/emails says what is verified. */
export function githubUser(account: Account): object {
  return {
    id: Number(account.subject),
    login: account.email.split('@')[0],
    name: account.name === '' ? null : account.name,
    email: account.email,
  };
}

/** GET /user/emails. The first is verified and not the primary one: nobody may take it for the account's. */
export function githubEmails(account: Account): object[] {
  return [
    { email: `old.${account.email}`, primary: false, verified: true, visibility: null },
    { email: account.email, primary: true, verified: account.verified, visibility: 'private' },
  ];
}
