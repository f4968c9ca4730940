import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { apiVersion } from '../common.ts';
import { kinds } from '../kinds.ts';
import type { Manifest, Verdict } from './examples.ts';

/** The API server as a judge: nothing it is asked here is stored. */
export interface ApiJudge {
  /** What `kubectl create --dry-run=server --validate=strict` would say. */
  create(manifest: Manifest): Promise<Verdict>;
  /** Stores an object for later changes. */
  store(manifest: Manifest): Promise<Verdict>;
  /** What replacing the stored object of the same name would say; nothing is changed. */
  replace(manifest: Manifest): Promise<Verdict>;
  remove(manifest: Manifest): Promise<Verdict>;
  close(): void;
}

interface Answer {
  answer: { message?: string; metadata?: { resourceVersion?: string } };
  verdict: Verdict;
}

/** Opens a judge with the client certificate of a kubeconfig. */
export function openJudge(kubeconfigPath: string): ApiJudge {
  const { clusters, users } = parse(readFileSync(kubeconfigPath, 'utf8'));
  const { server, 'certificate-authority-data': ca } = clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0].user;
  const decoded = (text: string) => Buffer.from(text, 'base64');
  const agent = new Agent({ keepAlive: true, maxSockets: 4, ca: decoded(ca), cert: decoded(cert), key: decoded(key) });

  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${server}${path}`, { method, agent, headers: { 'content-type': 'application/json' } });
      outgoing.once('error', reject).once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject);
        response.once('end', () => {
          const answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          const status = response.statusCode ?? 0;
          if (status >= 500) reject(new Error(`${method} ${path}: ${status} ${answer.message}`));
          else
            resolve({
              answer,
              verdict: { accepted: status < 300, message: status < 300 ? '' : String(answer.message) },
            });
        });
      });
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const collection = (manifest: Manifest) =>
    `/apis/${apiVersion}/${kinds.find(({ kind }) => kind === manifest.kind)?.plural}`;
  const one = (manifest: Manifest) => `${collection(manifest)}/${encodeURIComponent(manifest.metadata.name)}`;
  const strict = 'fieldValidation=Strict';
  return {
    create: async (manifest) => (await call('POST', `${collection(manifest)}?dryRun=All&${strict}`, manifest)).verdict,
    store: async (manifest) => (await call('POST', `${collection(manifest)}?${strict}`, manifest)).verdict,
    replace: async (manifest) => {
      const { answer } = await call('GET', one(manifest));
      const metadata = { ...manifest.metadata, resourceVersion: answer.metadata?.resourceVersion };
      return (await call('PUT', `${one(manifest)}?dryRun=All&${strict}`, { ...manifest, metadata })).verdict;
    },
    remove: async (manifest) => (await call('DELETE', one(manifest))).verdict,
    close: () => agent.destroy(),
  };
}
