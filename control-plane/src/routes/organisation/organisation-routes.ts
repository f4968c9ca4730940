import type { Route } from '../../http/route.ts';
import { acceptInvitation } from './accept-invitation.ts';
import { changeMember } from './change-member.ts';
import { changeTenant } from './change-tenant.ts';
import { createInvitation } from './create-invitation.ts';
import { createTenant } from './create-tenant.ts';
import { getMember } from './get-member.ts';
import { getResource } from './get-resource.ts';
import { handOverTenant } from './hand-over.ts';
import { leaveTenant } from './leave.ts';
import { listInvitations } from './list-invitations.ts';
import { listMembers } from './list-members.ts';
import { lookUpInvitation } from './look-up-invitation.ts';
import { removeMember } from './remove-member.ts';
import { requestDeletion } from './request-deletion.ts';
import { resendInvitation } from './resend-invitation.ts';
import { streamProgress } from './stream-progress.ts';
import { withdrawInvitation } from './withdraw-invitation.ts';

/** See the files beside this one: one operation each. */
export const organisationRoutes: readonly Route[] = [
  listMembers,
  // before {person}, which would take "me" for an id
  leaveTenant,
  getMember,
  changeMember,
  removeMember,
  handOverTenant,
  createInvitation,
  listInvitations,
  resendInvitation,
  withdrawInvitation,
  lookUpInvitation,
  acceptInvitation,
  createTenant,
  changeTenant,
  getResource,
  streamProgress,
  requestDeletion,
];
