import { z } from 'zod';
import { mailTemplate } from '../template.ts';

/** To an address that was invited to a tenant. */
export const invitation = mailTemplate(
  z.object({
    tenant: z.string(),
    /** Null: the platform's administration. */
    inviter: z.string().nullable(),
    role: z.enum(['admin', 'member', 'billing']),
    link: z.url(),
    validDays: z.int(),
  }),
  {
    de: ({ tenant, inviter, role, link, validDays }) => ({
      subject: `Einladung zu ${tenant}`,
      blocks: [
        `${inviter ?? 'die Verwaltung der Plattform'} lädt Sie zu „${tenant}“ ein, dem KI-Chat bei CloudFreedom.`,
        { facts: [['Rolle', ROLES.de[role]]] },
        { link, label: 'Einladung ansehen' },
        `Der Link gilt ${validDays} Tage und nur für diese Adresse. Haben Sie noch kein Konto, legen Sie dort eines mit ihr an.`,
        'Möchten Sie nicht? Dann müssen Sie nichts tun.',
      ],
    }),
    en: ({ tenant, inviter, role, link, validDays }) => ({
      subject: `Invitation to ${tenant}`,
      blocks: [
        `${inviter ?? "The platform's administration"} invites you to “${tenant}”, the AI chat at CloudFreedom.`,
        { facts: [['Role', ROLES.en[role]]] },
        { link, label: 'View the invitation' },
        `The link works for ${validDays} days and for this address only. If you have no account yet, register with it there.`,
        'You would rather not? Then there is nothing to do.',
      ],
    }),
  },
);

const ROLES = {
  de: { admin: 'Administration', member: 'Mitglied', billing: 'Abrechnung' },
  en: { admin: 'Administrator', member: 'Member', billing: 'Billing' },
};
