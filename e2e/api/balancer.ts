import {
  Agent,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as send,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A load balancer as clusters have them: it passes each request to one of the replicas in turn, on connections it keeps,
 * and goes to the next replica when one takes no connection. A request that was sent is never sent again: what then
 * breaks is the caller's failure (502).
 */
export class Balancer {
  /** Requests that broke after they had been sent. */
  readonly failures: string[] = [];
  readonly #server: Server;
  readonly #targets: () => readonly string[];
  readonly #agent = new Agent({ keepAlive: true });
  #turn = 0;

  private constructor(targets: () => readonly string[]) {
    this.#targets = targets;
    this.#server = createServer((incoming, outgoing) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('end', () => this.#pass(incoming, Buffer.concat(pieces), outgoing, [...this.#targets()]));
    });
  }

  static async start(targets: () => readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(targets);
    await new Promise<void>((resolve) => balancer.#server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming: IncomingMessage, body: Buffer, outgoing: ServerResponse, left: string[]): void {
    this.#turn += 1;
    const [target] = left.splice(this.#turn % Math.max(1, left.length), 1);
    if (target === undefined) {
      outgoing.writeHead(503).end();
      return;
    }
    const { method, headers } = incoming;
    const passed = send(target + incoming.url, { method, headers, agent: this.#agent }, (answer) => {
      const { connection: _hop, 'keep-alive': _too, ...rest } = answer.headers;
      outgoing.writeHead(answer.statusCode ?? 502, rest);
      answer.pipe(outgoing);
    });
    passed.on('error', (error: NodeJS.ErrnoException) => {
      if (outgoing.headersSent) outgoing.destroy();
      else if (error.code === 'ECONNREFUSED') this.#pass(incoming, body, outgoing, left);
      else {
        this.failures.push(`${method} ${incoming.url}: ${error.code ?? error.message}`);
        outgoing.writeHead(502).end();
      }
    });
    passed.end(body);
  }
}
