import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { registrationOptions } from '../../identity/passkey/register.ts';
import { relyingPartyOf } from '../../identity/passkey/relying-party.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { PasskeyOptionsView } from './passkey-view.ts';

export const passkeyRegistrationOptions = route({
  method: 'post',
  path: '/v1/account/passkeys/options',
  id: 'passkeyRegistrationOptions',
  summary: 'What navigator.credentials.create() needs',
  tag: 'Second factors',
  access: 'person',
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'For PublicKeyCredential.parseCreationOptionsFromJSON(), once', schema: PasskeyOptionsView },
  },
  run: async ({ pool, portalUrl }, call) => {
    const refusal = requireRecent(call);
    if (refusal !== undefined) return refusal;
    const { person } = callerOf(call);
    return { status: 200, body: await registrationOptions(pool, relyingPartyOf(portalUrl), person) };
  },
});
