import { type FakeIdentity, startFakeIdentity } from '../../../../../e2e/fake-identity/server.ts';
import { type Api, PORTAL_URL, startApi } from '../../../testing/api.ts';
import { Browser, type Landing, type ProviderForm } from './browser.ts';

export const PROVIDERS = ['google', 'gitlab', 'github'] as const;
const CLIENT = { id: 'client-of-the-tests', secret: 'secret-of-the-client-of-the-tests' };

export type IdentityApi = Api & {
  readonly identity: FakeIdentity;
  readonly browser: () => Browser;
  /** A person made by a first sign-in at a provider, in the browser that did it. */
  readonly registered: (provider: string, form: ProviderForm) => Promise<Browser>;
  /** Accepts the terms that a landing asks for. */
  readonly accept: (browser: Browser, landing: Landing) => ReturnType<Browser['call']>;
};

/** A control plane whose three providers of identity are local servers that speak their protocols. */
export async function startIdentityApi(options: Parameters<typeof startApi>[0] = {}): Promise<IdentityApi> {
  const redirectUris = PROVIDERS.map((provider) => `${PORTAL_URL}/v1/sign-in/${provider}/callback`);
  const identity = await startFakeIdentity({ client: { ...CLIENT, redirectUris } });
  const application = { clientId: CLIENT.id, clientSecret: CLIENT.secret };
  const api = await startApi({
    identityProviders: {
      google: { ...application, issuer: `${identity.url}/google` },
      gitlab: { ...application, issuer: `${identity.url}/gitlab` },
      github: { ...application, url: `${identity.url}/github`, apiUrl: `${identity.url}/github` },
    },
    ...options,
  });
  const accept: IdentityApi['accept'] = (browser, { state }) =>
    browser.call('POST', '/v1/sign-in/terms', { token: state.token, termsVersion: '2026-11', language: 'en' });
  return {
    ...api,
    identity,
    accept,
    browser: () => new Browser(api),
    registered: async (provider, form) => {
      const browser = new Browser(api);
      const answer = await accept(browser, await browser.signInAt(provider, form));
      if (answer.status !== 201) throw new Error(`accepting the terms was answered ${answer.status}`);
      return browser;
    },
    stop: async () => {
      await api.stop();
      await identity.close();
    },
  };
}
