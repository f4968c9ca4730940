/** What stands in the place of a secret. */
export const REDACTED = '[redacted]';

/** Names of fields whose texts are secrets, or hashes of them, which nobody needs in an audit either. */
const SECRET_NAME =
  /passw|passphrase|secret|token|credential|authori[sz]ation|cookie|api-?_?key|private-?_?key|encryption|otp|recovery|seed|signature|salt|challenge|assertion|attestation|^(code|key|pin|nonce|hash|verifier)$|sha256$/i;

/** Texts that are secrets wherever they stand: known prefixes, JWTs, PEM, headers, addresses with a password. */
const SECRET_VALUES: readonly RegExp[] = [
  /\b(cf|cfgw|cfs|sk|pk|rk|whsec|gh[opusr]|glpat|xox[abprs]|github_pat)[-_][A-Za-z0-9_-]{12,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\./,
  /-----BEGIN [A-Z ]+-----/,
  /\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/i,
  /\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i,
  /\botpauth:\/\//i,
  /[#?&](token|code|key|secret|password)=/i,
];

/** Replaces secrets by `[redacted]`: by the name of the field they are in, and by what they look like. */
export function redact(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return isSecret(value, name) ? REDACTED : value;
  if (Array.isArray(value)) return value.map((item) => redact(item, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    // A secret's name covers everything below it: {"secret": {"value": "…"}}.
    Object.entries(value).map(([key, inner]) => [
      isSecret(key, '') ? REDACTED : key,
      redact(inner, SECRET_NAME.test(name) ? name : key),
    ]),
  );
}

function isSecret(text: string, name: string): boolean {
  return text !== '' && (SECRET_NAME.test(name) || SECRET_VALUES.some((pattern) => pattern.test(text)));
}
