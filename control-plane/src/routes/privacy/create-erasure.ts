import { z } from 'zod';
import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { requireRecent } from '../../identity/account/recent.ts';
import { unacceptable } from '../../identity/account/refusals.ts';
import { noSessionCookie } from '../../identity/session/session-cookie.ts';
import { type EraseOutcome, erasePerson } from '../../privacy/erase-person.ts';
import { PERSON_RESPONSES } from '../account/person-responses.ts';
import { forgetOwner } from '../organisation/owners-in-cluster.ts';

const ErasureView = z
  .object({
    chats: z.array(z.string()).meta({ description: 'Tenants whose chats erase theirs within a quarter of an hour' }),
    namedIn: z.array(z.string()).meta({
      description: 'Tenants whose resource names the address as an owner’s: whoever keeps it has to take it out',
    }),
    kept: z
      .object({ ledgerLines: z.int(), usageLines: z.int(), until: z.iso.date() })
      .meta({ description: 'What was billed, without a name: the law wants it kept' }),
  })
  .meta({ id: 'Erasure' });

export const createErasure = route({
  method: 'post',
  path: '/v1/account/erasure',
  id: 'createErasure',
  summary: 'Erase one’s account and all that is personal, chats included; there is no way back',
  tag: 'Privacy',
  access: 'person',
  body: z.strictObject({
    confirmation: z.string().max(254).meta({ description: 'One’s own mail address, typed once more' }),
  }),
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'Erased', schema: ErasureView },
    409: { description: 'A tenant would have no owner any more: hand it over first', schema: Problem },
    422: { description: 'That is not one’s own address', schema: Problem },
  },
  run: async (services, call) => {
    const { pool, vault, catalogue } = services;
    const refused = requireRecent(call);
    if (refused !== undefined) return refused;
    const { person } = callerOf(call);
    if (call.body.confirmation.trim().toLowerCase() !== person.email.toLowerCase()) {
      return unacceptable('confirmation', 'is not the mail address of this account');
    }
    const outcome = await erasePerson(pool, vault, person.id);
    catalogue.forget();
    if (outcome.outcome !== 'erased') return answerOf(outcome, person.id);
    const namedIn = await forgetOwner(services, outcome.namedIn, person.email);
    return answerOf({ ...outcome, namedIn }, person.id);
  },
});

function answerOf(outcome: EraseOutcome, person: string): Answer {
  switch (outcome.outcome) {
    case 'unknown':
      return { status: 401, body: problem(401, 'key_unknown', 'this account is gone already') };
    case 'last_owner': {
      const tenants = outcome.tenants.map((name) => `"${name}"`).join(', ');
      const detail = `you are the only owner of ${tenants}; hand over or delete first, then repeat this call`;
      return { status: 409, body: problem(409, 'hand_over_first', detail) };
    }
    case 'erased': {
      const { chats, namedIn, kept } = outcome;
      return {
        status: 200,
        body: { chats, namedIn, kept },
        cookies: [noSessionCookie()],
        audit: { action: 'person.erased', target: `person/${person}`, unnamed: true },
      };
    }
  }
}
