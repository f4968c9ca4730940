import type pg from 'pg';
import type { Vault } from '../crypto/vault.ts';
import { enqueueMail } from '../mail/outbox.ts';
import { portalLink } from '../mail/portal-link.ts';
import type { SignInChange } from '../mail/templates/sign-in-changed.ts';

/** Whom to tell. */
type Recipient = { readonly email: string; readonly language: 'de' | 'en' };

/** Tells a person by mail, in the transaction that did it, that a way to sign in changed: they may not have been it. */
export async function tellOfSignInChange(
  client: pg.ClientBase,
  { vault, portalUrl }: { readonly vault: Vault; readonly portalUrl: string },
  { email, language }: Recipient,
  change: SignInChange,
  detail = '',
): Promise<void> {
  const data = { change, detail, accountLink: portalLink(portalUrl, 'account') };
  await enqueueMail(client, vault, { to: email, language, template: 'sign-in-changed', data });
}
