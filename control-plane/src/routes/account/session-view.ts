import { z } from 'zod';
import { SignInMethod } from '../../identity/session/sessions.ts';

export const SessionView = z
  .object({
    id: z.uuid(),
    current: z.boolean(),
    methods: z.array(SignInMethod),
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    createdAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Session', description: 'A browser that is signed in' });

const Row = z.object({
  id: z.uuid(),
  methods: z.array(SignInMethod),
  address: z.string().nullable(),
  user_agent: z.string().nullable(),
  created_at: z.date(),
  last_seen_at: z.date(),
  expires_at: z.date(),
});

export function sessionView(row: unknown, currentId: string): z.input<typeof SessionView> {
  const session = Row.parse(row);
  return {
    id: session.id,
    current: session.id === currentId,
    methods: session.methods,
    address: session.address,
    userAgent: session.user_agent,
    createdAt: session.created_at.toISOString(),
    lastSeenAt: session.last_seen_at.toISOString(),
    expiresAt: session.expires_at.toISOString(),
  };
}
