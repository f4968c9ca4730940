import './styles.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { newQueryClient } from './api/queries.ts';
import { startTranslation } from './i18n/i18n.ts';
import { allowStyles } from './layout/nonce.ts';
import { newRouter } from './router.tsx';

allowStyles();
await startTranslation();
const queryClient = newQueryClient();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={newRouter(queryClient)} />
    </QueryClientProvider>
  </StrictMode>,
);
