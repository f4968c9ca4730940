/**
 * Remembers which browser registered. A confirmation from another one has to bring the registration's password, so that
 * the owner of an address, following the link of a stranger's registration, does not confirm the stranger's password.
 */
export const REGISTRATION_COOKIE = '__Host-cloudfreedom-registration';
/** Hours that a registration waits for its confirmation. */
export const REGISTRATION_HOURS = 24;
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';

export function registrationCookie(token: string): string {
  return `${REGISTRATION_COOKIE}=${token}; ${ATTRIBUTES}; Max-Age=${REGISTRATION_HOURS * 3_600}`;
}

export function noRegistrationCookie(): string {
  return `${REGISTRATION_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;
}
