import { queryOptions } from '@tanstack/react-query';
import { api, dataOf } from './client.ts';
import type { Invitation } from './types.ts';

/** People a page shows at most; a tenant with more is administered through the API. */
const SHOWN = 200;
const query = { limit: SHOWN };

/** A role that can be given; ownership is handed over. */
export type GivenRole = Invitation['role'];

/** People of a tenant. */
export const membersQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'members'],
    queryFn: async () =>
      (await dataOf(api.GET('/v1/tenants/{tenant}/members', { params: { path: { tenant }, query } }))).items,
  });

/** Invitations that wait. */
export const invitationsQuery = (tenant: string) =>
  queryOptions({
    queryKey: ['tenant', tenant, 'invitations'],
    queryFn: async () =>
      (await dataOf(api.GET('/v1/tenants/{tenant}/invitations', { params: { path: { tenant }, query } }))).items,
  });

/** Invites somebody by mail. */
export const invite = (tenant: string, body: { email: string; role: GivenRole; language: 'de' | 'en' }) =>
  dataOf(api.POST('/v1/tenants/{tenant}/invitations', { params: { path: { tenant } }, body }));

/** Sends an invitation once more. */
export const resendInvitation = (tenant: string, invitation: string) =>
  dataOf(api.POST('/v1/tenants/{tenant}/invitations/{invitation}', { params: { path: { tenant, invitation } } }));

/** Takes an invitation back. */
export const withdrawInvitation = (tenant: string, invitation: string) =>
  dataOf(api.DELETE('/v1/tenants/{tenant}/invitations/{invitation}', { params: { path: { tenant, invitation } } }));

/** What an invitation is for; only its token opens it. */
export const lookUpInvitation = (token: string) => dataOf(api.POST('/v1/invitations/lookup', { body: { token } }));

/** Joins the tenant. */
export const acceptInvitation = (token: string) => dataOf(api.POST('/v1/invitations/acceptances', { body: { token } }));

/** Gives a member another role. */
export const changeRole = (tenant: string, person: string, role: GivenRole) =>
  dataOf(api.PATCH('/v1/tenants/{tenant}/members/{person}', { params: { path: { tenant, person } }, body: { role } }));

/** Ends somebody's membership. */
export const removeMember = (tenant: string, person: string) =>
  dataOf(api.DELETE('/v1/tenants/{tenant}/members/{person}', { params: { path: { tenant, person } } }));

/** Ends one's own. */
export const leaveTenant = (tenant: string) =>
  dataOf(api.DELETE('/v1/tenants/{tenant}/members/me', { params: { path: { tenant } } }));

/** Makes somebody else the owner. */
export const handOver = (tenant: string, person: string) =>
  dataOf(api.POST('/v1/tenants/{tenant}/ownership', { params: { path: { tenant } }, body: { person } }));
