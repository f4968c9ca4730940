import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressed } from './compress.ts';

/** Where `npm run dev` finds the API; the portal is on the same origin everywhere else. */
const API = process.env.API_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), tailwindcss(), compressed()],
  // the server replaces this in index.html with a fresh nonce for every answer
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    // light-dark() and oklch() are used as they are; every evergreen browser of the last two years knows them
    target: ['chrome123', 'firefox128', 'safari17.5'],
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    // the policy allows no data: scripts, and a file of its own is cached for good
    assetsInlineLimit: 0,
    sourcemap: false,
    manifest: false,
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { '/v1': API, '/oidc': API, '/docs': API, '/openapi.json': API } },
});
