import { useEffect, useState } from 'react';
import type { Progress } from '../api/types.ts';

/**
 * A tenant's progress as it happens; undefined until the first word of it. The browser reconnects by itself; `refused`
 * says that the API does not tell it, because there is no such tenant or no cluster.
 */
export function useProgress(tenant: string): { progress: Progress | undefined; refused: boolean } {
  const [progress, setProgress] = useState<Progress>();
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    setProgress(undefined);
    setRefused(false);
    const source = new EventSource(`/v1/tenants/${encodeURIComponent(tenant)}/progress`);
    source.addEventListener('progress', ({ data }) => setProgress(JSON.parse(data)));
    source.addEventListener('error', () => setRefused(source.readyState === EventSource.CLOSED));
    return () => source.close();
  }, [tenant]);
  return { progress, refused };
}
