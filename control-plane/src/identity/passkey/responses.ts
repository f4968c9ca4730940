import { z } from 'zod';

/** Characters a part of an authenticator's answer may have; real ones take some hundred. */
const MAX_PART_LENGTH = 16_384;

const Part = z
  .string()
  .max(MAX_PART_LENGTH)
  .regex(/^[\w-]+$/, 'must be base64url');
const Transport = z.string().max(32);

const shared = {
  id: Part,
  rawId: Part,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
  clientExtensionResults: z.record(z.string(), z.unknown()),
};

/** What `navigator.credentials.create()` gave, as its toJSON() writes it. Members we have no use for are dropped. */
export const RegistrationResponse = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON: Part,
      attestationObject: Part,
      transports: z.array(Transport).max(8).optional(),
    }),
  })
  .meta({ id: 'PasskeyRegistration', description: 'PublicKeyCredential.toJSON() of navigator.credentials.create()' });
export type RegistrationResponse = z.output<typeof RegistrationResponse>;

/** What `navigator.credentials.get()` gave. */
export const AuthenticationResponse = z
  .object({
    ...shared,
    response: z.object({
      clientDataJSON: Part,
      authenticatorData: Part,
      signature: Part,
      userHandle: Part.nullish(),
    }),
  })
  .meta({ id: 'PasskeyAssertion', description: 'PublicKeyCredential.toJSON() of navigator.credentials.get()' });
export type AuthenticationResponse = z.output<typeof AuthenticationResponse>;
