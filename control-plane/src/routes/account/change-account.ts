import { z } from 'zod';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import { callerOf } from '../../identity/account/caller.ts';
import { LanguageField, NameField } from '../../identity/account/fields.ts';
import { personOfId } from '../../identity/account/people.ts';
import { signInRefused } from '../../identity/account/refusals.ts';
import { AccountView, accountView } from './account-view.ts';
import { PERSON_RESPONSES } from './person-responses.ts';

export const changeAccount = route({
  method: 'patch',
  path: '/v1/account',
  id: 'changeAccount',
  summary: 'Change the own name or language',
  tag: 'Account',
  access: 'person',
  body: z.strictObject({ name: NameField.optional(), language: LanguageField.optional() }),
  responses: {
    ...PERSON_RESPONSES,
    200: { description: 'Changed', schema: AccountView },
    422: { description: 'The input is not acceptable', schema: Problem },
  },
  run: async ({ pool }, call) => {
    const { person: caller, session } = callerOf(call);
    const { name, language } = call.body;
    await pool.query(
      `update person set name = coalesce($2, name), language = coalesce($3, language), changed_at = now() where id = $1`,
      [caller.id, name ?? null, language ?? null],
    );
    const person = await personOfId(pool, caller.id);
    if (person === undefined) return signInRefused();
    const audit = {
      target: `person/${person.id}`,
      before: { name: caller.name, language: caller.language },
      after: { name: person.name, language: person.language },
    };
    return { status: 200, body: await accountView(pool, person, session), audit };
  },
});
