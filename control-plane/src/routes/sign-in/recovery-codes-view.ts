import { z } from 'zod';

const codes = z.array(z.string()).meta({ description: 'Each is good once; shown this once' });

export const RecoveryCodesView = z.object({ recoveryCodes: codes }).meta({ id: 'RecoveryCodes' });
export const SecondFactorAddedView = z.object({ recoveryCodes: codes.nullable() }).meta({
  id: 'SecondFactorAdded',
  description: 'Recovery codes come with the first second factor; null: there are some',
});
