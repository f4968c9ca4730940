import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  ClientSecretPost,
  Configuration,
  calculatePKCECodeChallenge,
  fetchProtectedResource,
} from 'openid-client';
import { z } from 'zod';
import { provedIdentity } from './proved-identity.ts';
import { IncompleteIdentity, isLoopback, PROVIDER_TIMEOUT_SECONDS, type Provider } from './provider.ts';
import type { GithubSettings } from './settings.ts';

const SCOPE = 'read:user user:email';
/** Characters of an answer of the API that are read; a hundred addresses take some ten thousand. */
const MAX_ANSWER_LENGTH = 100_000;

const User = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/** GitHub: OAuth 2 with PKCE, then its API for who it was. It has no id_token, so state and PKCE carry the binding. */
export function githubProvider(settings: GithubSettings): Provider {
  const { url, apiUrl, clientId, clientSecret } = settings;
  const config = new Configuration(
    {
      issuer: url,
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
    },
    clientId,
    clientSecret,
    ClientSecretPost(clientSecret),
  );
  config.timeout = PROVIDER_TIMEOUT_SECONDS;
  if (isLoopback(new URL(url))) allowInsecureRequests(config);
  return {
    name: 'github',
    authorizationUrl: async (redirectUri, { state, codeVerifier }) =>
      buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state,
        code_challenge: await calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        prompt: 'select_account',
      }),
    prove: async (callback, { state, codeVerifier }) => {
      const checks = { expectedState: state, pkceCodeVerifier: codeVerifier };
      const { access_token: token } = await authorizationCodeGrant(config, callback, checks);
      const user = await read(config, token, new URL(`${apiUrl}/user`), User);
      // The address in /user is what its owner typed there. Only this list says which one is theirs.
      const emails = await read(config, token, new URL(`${apiUrl}/user/emails?per_page=100`), Emails);
      const primary = emails.find((entry) => entry.primary);
      if (primary === undefined) throw new IncompleteIdentity('GitHub told no primary address');
      return provedIdentity('github', {
        subject: String(user.id),
        email: primary.email,
        emailVerified: primary.verified,
        name: user.name ?? user.login,
      });
    },
  };
}

async function read<T>(config: Configuration, token: string, url: URL, schema: z.ZodType<T>): Promise<T> {
  const headers = new Headers({ accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' });
  const response = await fetchProtectedResource(config, token, url, 'GET', undefined, headers);
  const parsed = response.ok ? schema.safeParse(parseJson(await textOf(response))) : undefined;
  if (!parsed?.success) throw new IncompleteIdentity(`GitHub answered ${response.status} at ${url.pathname}`);
  return parsed.data;
}

async function textOf(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_ANSWER_LENGTH) throw new IncompleteIdentity('GitHub’s answer is too long');
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
