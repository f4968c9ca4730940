/**
 * Runs the fake identity providers by themselves.
 *
 *   PORT=8089 BASE_URL=https://identity.example.test PORTAL_URL=https://portal.example.test \
 *   CLIENT_ID=… CLIENT_SECRET=… node e2e/fake-identity/main.ts
 */
import { startFakeIdentity } from './server.ts';

const { PORT = '8080', HOST = '0.0.0.0', BASE_URL, PORTAL_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
if (!PORTAL_URL || !CLIENT_ID || !CLIENT_SECRET) {
  throw new Error('set PORTAL_URL, CLIENT_ID and CLIENT_SECRET: the application that may use these providers');
}

const redirectUris = ['google', 'gitlab', 'github'].map((provider) => `${PORTAL_URL}/v1/sign-in/${provider}/callback`);
const identity = await startFakeIdentity({
  client: { id: CLIENT_ID, secret: CLIENT_SECRET, redirectUris },
  baseUrl: BASE_URL,
  port: Number(PORT),
  host: HOST,
});
console.log(`fake identity providers at ${identity.url}`);
process.once('SIGTERM', () => void identity.close());
