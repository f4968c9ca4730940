import { useEffect, useState } from 'react';

/**
 * What the address carries in its fragment, such as the token of a mail's link. It is taken out of the address at once: no
 * history, bookmark or screenshot keeps it.
 */
export function useFragment(): URLSearchParams {
  const [fragment] = useState(() => new URLSearchParams(window.location.hash.slice(1)));
  useEffect(() => {
    if (fragment.size === 0) return;
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
  }, [fragment]);
  return fragment;
}
