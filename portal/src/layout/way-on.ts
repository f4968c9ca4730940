import { ownPath } from './own-path.ts';

/** The part of an address that says where to go once signed in. */
export type WayOn = { readonly return_to?: string };

/** Makes it of a path, or of none. */
export function wayOnSearch(path: string | undefined): WayOn {
  return path === undefined ? {} : { return_to: path };
}

const STORAGE_KEY = 'way-on';

/** Notes where a person was going when they began to register: the mail's link opens without it. */
export function noteWayOn(to: string | undefined): void {
  try {
    if (to === undefined) localStorage.removeItem(STORAGE_KEY);
    else localStorage.setItem(STORAGE_KEY, to);
  } catch {
    // storage is closed to us: they land on their start page
  }
}

/** Where they were going, if this is the browser they began in. */
export function takeWayOn(): string | undefined {
  try {
    return ownPath(localStorage.getItem(STORAGE_KEY));
  } catch {
    return undefined;
  }
}
