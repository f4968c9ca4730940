const STORAGE_KEY = 'invitation';

/** Keeps an invitation's token while its holder registers or signs in; the mail that confirms opens another tab. */
export function keepInvitation(token: string): void {
  try {
    localStorage.setItem(STORAGE_KEY, token);
  } catch {
    // storage is closed to us: the link in the mail still works
  }
}

/** The token of an invitation that waits in this browser. */
export function keptInvitation(): string | undefined {
  try {
    return localStorage.getItem(STORAGE_KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

/** It has been accepted. */
export function forgetInvitation(): void {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // there was none then
  }
}
