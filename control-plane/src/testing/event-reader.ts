export type StreamedEvent = {
  readonly id: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of it
  readonly data: any;
};

/** Reads a stream of server-sent events as a browser does. */
export type EventReader = {
  readonly status: number;
  readonly headers: Headers;
  readonly events: StreamedEvent[];
  /** Comments: heartbeats. */
  readonly comments: string[];
  /** The connection has ended. */
  readonly ended: () => boolean;
  readonly close: () => void;
};

export async function readEvents(
  url: string,
  key: string | undefined,
  headers: Record<string, string> = {},
): Promise<EventReader> {
  const abort = new AbortController();
  const response = await fetch(url, {
    headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
    signal: abort.signal,
  });
  const events: StreamedEvent[] = [];
  const comments: string[] = [];
  let ended = false;
  const read = async () => {
    let text = '';
    for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        comments.push(...lines.filter((line) => line.startsWith(':')));
        const data = field('data');
        if (data !== undefined) {
          events.push({ id: field('id') ?? '', type: field('event') ?? '', data: JSON.parse(data) });
        }
      }
    }
  };
  read()
    .catch(() => {})
    .finally(() => {
      ended = true;
    });
  return {
    status: response.status,
    headers: response.headers,
    events,
    comments,
    ended: () => ended,
    close: () => abort.abort(),
  };
}
