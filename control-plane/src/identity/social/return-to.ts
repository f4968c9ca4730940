const MAX_LENGTH = 2048;

/**
 * Whether a path may be gone to after a sign-in: one of the portal's own, never another site. Browsers take a backslash
 * for a slash and leave out tabs and line ends, so "/\evil.test" and "/<tab>/evil.test" are other sites to them.
 */
export function isLocalPath(path: string): boolean {
  if (path.length > MAX_LENGTH || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path)) return false;
  const base = 'https://portal.invalid';
  return URL.canParse(path, base) && new URL(path, base).origin === base;
}
