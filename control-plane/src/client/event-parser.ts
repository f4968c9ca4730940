/** One server-sent event as it came. */
export type RawEvent = { readonly id: string; readonly type: string; readonly data: string };

/**
 * Reads the text of a stream of server-sent events, in pieces cut anywhere (WHATWG HTML, 9.2.6). An event that the end
 * of the stream cut off is not given out.
 */
export class EventParser {
  #text = '';
  #id = '';
  #type = '';
  #data: string[] = [];
  /** Milliseconds the server asked us to wait before connecting anew; undefined while it has not. */
  retryMs: number | undefined;

  /** @returns the events that this piece completed */
  push(piece: string): RawEvent[] {
    this.#text += piece;
    const events: RawEvent[] = [];
    // A carriage return at the very end may be the first half of a line's end: it waits for the next piece.
    for (let end = /\r\n|\n|\r(?!$)/.exec(this.#text); end !== null; end = /\r\n|\n|\r(?!$)/.exec(this.#text)) {
      const line = this.#text.slice(0, end.index);
      this.#text = this.#text.slice(end.index + end[0].length);
      if (line !== '') this.#field(line);
      else if (this.#data.length > 0) events.push(this.#take());
      else this.#type = '';
    }
    return events;
  }

  #field(line: string): void {
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.#data.push(value);
    else if (name === 'event') this.#type = value;
    else if (name === 'id' && !value.includes('\0')) this.#id = value;
    else if (name === 'retry' && /^\d{1,6}$/.test(value)) this.retryMs = Number(value);
  }

  #take(): RawEvent {
    const event = { id: this.#id, type: this.#type || 'message', data: this.#data.join('\n') };
    this.#type = '';
    this.#data = [];
    return event;
  }
}
