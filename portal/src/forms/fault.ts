import type { TFunction } from 'i18next';
import type { FieldError } from 'react-hook-form';

/** Sentences that our own schemas refer to; the server's own messages are shown as they are. */
const OWN = /^fault\.(\w+)(?::(\w+))?$/;

/** The sentence of what is wrong with a field, if something is. */
export function faultText(t: TFunction, error: FieldError | undefined): string | undefined {
  if (error?.message === undefined) return undefined;
  const own = OWN.exec(error.message);
  if (own === null) return error.message;
  return t(error.message.split(':')[0] as 'fault.required', { limit: own[2] });
}
