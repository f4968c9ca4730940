import { type Api, type ApiAnswer, PORTAL_URL } from '../../../testing/api.ts';

/** What somebody fills in at a provider; see e2e/fake-identity/account.ts. */
export type ProviderForm = {
  readonly email: string;
  readonly name?: string;
  readonly subject?: string;
  readonly verified?: boolean;
  readonly fault?: string;
  readonly decision?: 'allow' | 'deny';
};

/** Where a browser has landed: a path of the portal, and what its fragment says. */
export type Landing = { readonly path: string; readonly state: Record<string, string> };

/** A browser with its cookies, in front of the portal. It goes to providers for real, and is the person at their pages. */
export class Browser {
  readonly #api: Api;
  readonly cookies = new Map<string, string>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** One call by a page of the portal. */
  async call(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { origin: PORTAL_URL, ...(cookie === '' ? {} : { cookie }) };
    const response = await fetch(this.#api.controlPlane.url + path, {
      method,
      redirect: 'manual',
      headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** Goes to a provider and fills in its page. @returns where the provider sends the browser back to */
  async visitProvider(authorizationUrl: string, form: ProviderForm): Promise<URL> {
    const fields = new URLSearchParams({ decision: form.decision ?? 'allow', email: form.email });
    for (const name of ['name', 'subject', 'fault'] as const) if (form[name]) fields.set(name, form[name]);
    if (form.verified ?? true) fields.set('verified', 'on');
    const response = await fetch(authorizationUrl, { method: 'POST', body: fields, redirect: 'manual' });
    const location = response.headers.get('location');
    if (location === null) throw new Error(`the provider answered ${response.status}: ${await response.text()}`);
    return new URL(location);
  }

  /** Begins a sign-in. @returns the provider's address */
  async begin(provider: string, returnTo?: string): Promise<string> {
    const query = returnTo === undefined ? '' : `?${new URLSearchParams({ return_to: returnTo })}`;
    const answer = await this.call('GET', `/v1/sign-in/${provider}${query}`);
    return answer.headers.get('location') ?? '';
  }

  /** Comes back from a provider. */
  async comeBack(callback: URL): Promise<Landing> {
    const answer = await this.call('GET', callback.pathname + callback.search);
    if (answer.status !== 302) throw new Error(`the callback answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return landingAt(answer.headers.get('location') ?? '');
  }

  /** The whole way. */
  async signInAt(provider: string, form: ProviderForm, returnTo?: string): Promise<Landing> {
    return this.comeBack(await this.visitProvider(await this.begin(provider, returnTo), form));
  }

  /** Who is signed in; undefined for nobody. */
  async whoAmI(): Promise<{ id: string; email: string; session: { methods: string[] } } | undefined> {
    const answer = await this.call('GET', '/v1/account');
    return answer.status === 200 ? answer.body : undefined;
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/max-age=0/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function landingAt(location: string): Landing {
  const [path = '', fragment = ''] = location.split('#');
  return { path, state: Object.fromEntries(new URLSearchParams(fragment)) };
}
