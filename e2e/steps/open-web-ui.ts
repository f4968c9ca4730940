import type { WayIn } from '../platform/way-in.ts';

/** A tenant's Open WebUI as its own API shows it to one signed-in account. */
export class OpenWebUi {
  readonly #way: WayIn;
  readonly #host: string;
  readonly #token: string;

  private constructor(way: WayIn, host: string, token: string) {
    this.#way = way;
    this.#host = host;
    this.#token = token;
  }

  /** Signs in with e-mail and password. */
  static async signIn(way: WayIn, host: string, account: { email: string; password: string }): Promise<OpenWebUi> {
    const { status, body } = await way.call<{ token: string }>('POST', `https://${host}/api/v1/auths/signin`, account);
    if (status !== 200) throw new Error(`no sign-in at ${host}: ${status} ${JSON.stringify(body)}`);
    return new OpenWebUi(way, host, body.token);
  }

  /** Stores a chat with one message. */
  async createChat(title: string): Promise<void> {
    const message = { id: 'first', parentId: null, childrenIds: [], role: 'user', content: title, timestamp: 0 };
    const chat = {
      title,
      models: [],
      messages: [message],
      history: { messages: { first: message }, currentId: 'first' },
    };
    await this.#call('POST', '/api/v1/chats/new', { chat });
  }

  /** The titles of the account's chats. */
  async chatTitles(): Promise<string[]> {
    return (await this.#call<{ title: string }[]>('GET', '/api/v1/chats/')).map(({ title }) => title);
  }

  async #call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await this.#way.call<Body>(method, `https://${this.#host}${path}`, body, headers);
    if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}
