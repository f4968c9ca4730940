import { type Api, type ApiAnswer, PORTAL_URL } from './api.ts';

/** A person's browser at the portal: it keeps the cookies it is given and sends them along. */
export type Browser = {
  readonly cookies: Map<string, string>;
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer>;
};

export function openBrowser(api: Pick<Api, 'call'>): Browser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    call: async (method, path, body, headers = {}) => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await api.call(method, path, undefined, body, {
        origin: PORTAL_URL,
        ...(cookie === '' ? {} : { cookie }),
        ...headers,
      });
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/Max-Age=0(;|$)/.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return answer;
    },
  };
}
