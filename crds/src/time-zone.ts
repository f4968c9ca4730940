/** An IANA name with area and city, or UTC. Abbreviations such as `EST` are left out: they hide daylight saving. */
export const timeZonePattern = /^(UTC|[A-Z][A-Za-z]{1,15}(\/[A-Z][A-Za-z0-9_+-]{0,30}){1,2})$/;

const exactNames = new Map(Intl.supportedValuesOf('timeZone').map((zone) => [zone.toLowerCase(), zone]));

/**
 * True for a zone that both this process and the API server know. Go compares names by case and JavaScript does not,
 * so a name that differs from the known one only by case is refused here too.
 */
export function isTimeZone(zone: string): boolean {
  if (!timeZonePattern.test(zone)) return false;
  const exact = exactNames.get(zone.toLowerCase());
  if (exact !== undefined) return exact === zone;
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false; // RangeError: no such zone
  }
}
