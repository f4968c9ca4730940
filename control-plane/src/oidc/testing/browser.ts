import { PORTAL_URL } from '../../testing/api.ts';

/** Redirects that are followed before a test is told that it runs in circles. */
const MAX_REDIRECTS = 10;

/** Where a browser came to rest: an answer of ours, or an address of somebody else's that it was sent to. */
export type Page = { readonly url: URL; readonly status: number; readonly body: string; readonly headers: Headers };

/** What the portal's address leads to: the replica under test. */
export type Replica = () => string;

/** A browser as far as signing in needs one: cookies with their paths, and redirects. It stops where the portal ends. */
export class Browser {
  readonly #replica: Replica;
  readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();

  constructor(replica: Replica, cookie?: string) {
    this.#replica = replica;
    if (cookie !== undefined) this.signIn(cookie);
  }

  /** Takes the portal's session cookie, as if the person had signed in on its pages. */
  signIn(cookie: string): void {
    const [name = '', value = ''] = cookie.split('=', 2);
    this.#cookies.set(`${name} /`, { value, path: '/' });
  }

  /** Whether it holds a cookie of this name. */
  holds(name: string): boolean {
    return [...this.#cookies.keys()].some((key) => key.startsWith(`${name} `));
  }

  async open(address: string | URL, form?: Record<string, string>): Promise<Page> {
    let url = new URL(address);
    let body = form && new URLSearchParams(form);
    for (let hop = 0; hop < MAX_REDIRECTS; hop += 1) {
      if (url.origin !== PORTAL_URL) return { url, status: 0, body: '', headers: new Headers() };
      const answer = await fetch(this.#replica() + url.pathname + url.search, {
        method: body === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: this.#cookiesFor(url.pathname), accept: 'text/html', 'accept-language': 'en' },
        ...(body === undefined ? {} : { body }),
      });
      this.#keep(answer.headers.getSetCookie(), url.pathname);
      const location = answer.headers.get('location');
      const text = await answer.text();
      if (location === null) return { url, status: answer.status, body: text, headers: answer.headers };
      url = new URL(location, url);
      body = undefined;
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects; the last one led to ${url.href}`);
  }

  #cookiesFor(path: string): string {
    return [...this.#cookies]
      .filter(([, cookie]) => path === cookie.path || path.startsWith(cookie.path.replace(/\/?$/, '/')))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ');
  }

  #keep(setCookies: readonly string[], requestPath: string): void {
    for (const line of setCookies) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const mark = pair.indexOf('=');
      const said = (name: string) =>
        attributes.find((each) => each.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
      const path = said('path') ?? requestPath;
      const key = `${pair.slice(0, mark)} ${path}`;
      const over = said('max-age') === '0' || Date.parse(said('expires') ?? '') <= Date.now();
      if (over) this.#cookies.delete(key);
      else this.#cookies.set(key, { value: pair.slice(mark + 1), path });
    }
  }
}
