import type { components } from '@cloudfreedom/control-plane/client/client.ts';

/** What the pages read of the API's answers, by the names of its description. */
type Schemas = components['schemas'];

export type Account = Schemas['Account'];
export type Session = Schemas['Session'];
export type FirstStep = Schemas['SignedIn'] | Schemas['SecondFactorRequired'];
export type Progress = Schemas['TenantProgress'];
export type Budget = Schemas['Budget'];
export type UsageSum = Schemas['UsageSum'];
export type Plan = Schemas['Plan'];
export type TenantResource = Schemas['TenantResource'];
export type TenantChange = Schemas['TenantChange'];
export type HeldField = Schemas['TenantField'];
export type Member = Schemas['Member'];
export type Invitation = Schemas['Invitation'];
export type Key = Schemas['Key'];
export type IssuedKey = Schemas['IssuedKey'];
export type Passkey = Schemas['Passkey'];
export type LinkedIdentity = Schemas['LinkedIdentity'];
export type Terms = Schemas['Terms'];
