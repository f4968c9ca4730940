import { z } from 'zod';

/** The providers whose accounts people may sign in with. */
export const ProviderName = z.enum(['google', 'github', 'gitlab']);
export type ProviderName = z.output<typeof ProviderName>;

/** As they write themselves. */
export const PROVIDER_TITLES: Record<ProviderName, string> = { google: 'Google', github: 'GitHub', gitlab: 'GitLab' };

/** An application registered at a provider of OpenID Connect. */
export type OpenIdSettings = { readonly clientId: string; readonly clientSecret: string; readonly issuer: string };

/** An application registered at GitHub, which speaks OAuth 2 and has an API of its own. */
export type GithubSettings = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly url: string;
  readonly apiUrl: string;
};

/** Those that are configured. */
export type IdentityProviderSettings = {
  readonly google?: OpenIdSettings;
  readonly gitlab?: OpenIdSettings;
  readonly github?: GithubSettings;
};

const Text = z.string().max(500);
const Url = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/$/, ''));

/** The environment's part about providers. One without a client id is not offered. */
export const IdentityProviderEnvironment = z.object({
  GOOGLE_CLIENT_ID: Text.optional(),
  GOOGLE_CLIENT_SECRET: Text.optional(),
  GOOGLE_ISSUER: Url.default('https://accounts.google.com'),
  GITLAB_CLIENT_ID: Text.optional(),
  GITLAB_CLIENT_SECRET: Text.optional(),
  GITLAB_ISSUER: Url.default('https://gitlab.com'),
  GITHUB_CLIENT_ID: Text.optional(),
  GITHUB_CLIENT_SECRET: Text.optional(),
  GITHUB_URL: Url.default('https://github.com'),
  GITHUB_API_URL: Url.default('https://api.github.com'),
});

/**
 * Reads it. Apart from the other variables, so that adding a provider touches this file only.
 * @throws Error naming what is missing, without any value
 */
export function readIdentityProviders(env: Record<string, string | undefined>): IdentityProviderSettings {
  const parsed = IdentityProviderEnvironment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`the identity providers are not usable:\n  ${faults.join('\n  ')}`);
  }
  const values = parsed.data;
  const google = application('GOOGLE', values.GOOGLE_CLIENT_ID, values.GOOGLE_CLIENT_SECRET);
  const gitlab = application('GITLAB', values.GITLAB_CLIENT_ID, values.GITLAB_CLIENT_SECRET);
  const github = application('GITHUB', values.GITHUB_CLIENT_ID, values.GITHUB_CLIENT_SECRET);
  return {
    ...(google && { google: { ...google, issuer: values.GOOGLE_ISSUER } }),
    ...(gitlab && { gitlab: { ...gitlab, issuer: values.GITLAB_ISSUER } }),
    ...(github && { github: { ...github, url: values.GITHUB_URL, apiUrl: values.GITHUB_API_URL } }),
  };
}

function application(prefix: string, clientId: string | undefined, clientSecret: string | undefined) {
  if (clientId === undefined && clientSecret === undefined) return undefined;
  if (clientId === undefined || clientSecret === undefined) {
    throw new Error(
      `the identity providers are not usable:\n  set both ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`,
    );
  }
  return { clientId, clientSecret };
}
