import { useEffect, useState } from 'react';
import type { Progress } from '../api/types.ts';

/** A tenant's progress as it happens; undefined until the first word of it. The browser reconnects by itself. */
export function useProgress(tenant: string): Progress | undefined {
  const [progress, setProgress] = useState<Progress>();
  useEffect(() => {
    setProgress(undefined);
    const source = new EventSource(`/v1/tenants/${encodeURIComponent(tenant)}/progress`);
    source.addEventListener('progress', ({ data }) => setProgress(JSON.parse(data)));
    return () => source.close();
  }, [tenant]);
  return progress;
}
