import { z } from 'zod';
import { inTransaction } from '../../database/pool.ts';
import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { NameField } from '../../identity/account/fields.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import {
  MAX_PASSKEYS,
  type RegistrationRefusal,
  storePasskey,
  verifyRegistration,
} from '../../identity/passkey/register.ts';
import { relyingPartyOf } from '../../identity/passkey/relying-party.ts';
import { RegistrationResponse } from '../../identity/passkey/responses.ts';
import { firstRecoveryCodes } from '../../identity/second-factor/first-recovery-codes.ts';
import { tellOfSignInChange } from '../../identity/tell-person.ts';
import { lockWaysIn } from '../../identity/ways-in.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { PasskeyView, passkeyView } from './passkey-view.ts';
import { SecondFactorAddedView } from './recovery-codes-view.ts';

const AddedView = SecondFactorAddedView.extend({ passkey: PasskeyView }).meta({ id: 'PasskeyAdded' });

const DETAILS: Record<RegistrationRefusal, string> = {
  challenge_unknown: 'this took too long or was sent before; begin again',
  passkey_refused: 'what the browser sent is no passkey for this portal; begin again',
  passkey_known: 'this passkey is registered already',
  too_many_passkeys: `a person may have ${MAX_PASSKEYS} passkeys; remove one first`,
};

export const addPasskey = route({
  method: 'post',
  path: '/v1/account/passkeys',
  id: 'addPasskey',
  summary: 'Keep a passkey that the browser made; from now on it signs in, and is a second factor',
  tag: 'Second factors',
  access: 'person',
  body: z.strictObject({ name: NameField, credential: RegistrationResponse }),
  responses: {
    ...PERSON_RESPONSES,
    201: { description: 'Kept', schema: AddedView },
    409: { description: 'Not kept, and why', schema: Problem },
  },
  run: async (services, call): Promise<Answer> => {
    const recent = requireRecent(call);
    if (recent !== undefined) return recent;
    const { person } = callerOf(call);
    const party = relyingPartyOf(services.portalUrl);
    const made = await verifyRegistration(services.pool, party, person.id, call.body.credential);
    if (typeof made === 'string') return refused(made);
    return inTransaction(services.pool, async (client) => {
      await lockWaysIn(client, person.id);
      const passkey = await storePasskey(client, person.id, call.body.name, made);
      if (typeof passkey === 'string') return refused(passkey);
      const recoveryCodes = await firstRecoveryCodes(client, services.vault, person.id);
      await tellOfSignInChange(client, services, person, 'passkey_added', passkey.name);
      const body = { passkey: passkeyView(passkey), recoveryCodes };
      return { status: 201, body, audit: { target: `person/${person.id}`, after: { passkey: passkey.name } } };
    });
  },
});

function refused(code: RegistrationRefusal): Answer {
  return { status: 409, body: problem(409, code, DETAILS[code]) };
}
