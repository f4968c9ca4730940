/** Host names below the base domain that the platform keeps for itself: `reservedHostnames` of the Tenant. */
export const reservedNames: readonly string[] = ['admin', 'api', 'auth', 'login', 'portal', 'status', 'www'];
const MAX_LENGTH = 40;
const LETTERS: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss', æ: 'ae', ø: 'o', å: 'a' };

/** A short name made of a display name, fit for an address: "Müller & Söhne GmbH" becomes "mueller-soehne-gmbh". */
export function shortNameOf(displayName: string): string {
  return displayName
    .toLowerCase()
    .replaceAll(/[äöüßæøå]/g, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-0-9]+/g, '')
    .slice(0, MAX_LENGTH)
    .replaceAll(/-+$/g, '');
}
