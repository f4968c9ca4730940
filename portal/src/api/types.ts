import type { Role } from '../tenant/permissions.ts';

/** What the pages read of the API's answers. */

export type Page<Item> = { readonly items: readonly Item[]; readonly nextCursor: string | null };
export type SecondFactor = 'totp' | 'passkey' | 'recovery';

export type Membership = {
  readonly tenant: string;
  readonly displayName: string;
  readonly role: Role;
  readonly state: 'open' | 'closed';
  readonly host: string;
};

export type Account = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly language: 'de' | 'en';
  readonly platformAdmin: boolean;
  readonly createdAt: string;
  readonly methods: { readonly password: boolean; readonly secondFactors: readonly SecondFactor[] };
  readonly memberships: readonly Membership[];
};

export type Session = {
  readonly id: string;
  readonly current: boolean;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: string;
  readonly lastSeenAt: string;
};

export type FirstStep =
  | { readonly status: 'signed_in' }
  | {
      readonly status: 'second_factor_required';
      readonly pendingToken: string;
      readonly methods: readonly SecondFactor[];
      readonly expiresAt: string;
    };

export type Progress = {
  readonly tenant: string;
  readonly ready: boolean;
  readonly current: boolean;
  readonly deleting: boolean;
  readonly url: string | null;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: 'True' | 'False' | 'Unknown';
    readonly reason: string;
    readonly message: string;
  }[];
};

export type Budget = {
  readonly period: string;
  readonly grantedNanoEur: string;
  readonly postedNanoEur: string;
  readonly heldNanoEur: string;
  readonly leasedNanoEur: string;
  readonly availableNanoEur: string;
  readonly resetsAt: string;
};

export type UsageSum = {
  readonly day?: string;
  readonly model?: string;
  readonly requests: number;
  readonly costNanoEur: string;
  readonly marginNanoEur: string;
  readonly totalNanoEur: string;
};

export type Member = {
  readonly person: { readonly id: string; readonly name: string; readonly email: string };
  readonly role: Role;
  readonly userId: string | null;
  readonly joinedAt: string;
};

export type Invitation = {
  readonly id: string;
  readonly email: string;
  readonly role: Exclude<Role, 'owner'>;
  readonly expiresAt: string;
  readonly expired: boolean;
};

export type InvitationOffer = {
  readonly tenant: string;
  readonly tenantDisplayName: string;
  readonly role: Exclude<Role, 'owner'>;
  readonly inviterName: string | null;
  readonly email: string;
  readonly expiresAt: string;
};

export type Key = {
  readonly id: string;
  readonly kind: 'api' | 'chat';
  readonly name: string;
  readonly personId: string | null;
  readonly scopes: readonly string[];
  readonly prefix: string | null;
  readonly lastFour: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
};

export type IssuedKey = Key & { readonly key: string };
