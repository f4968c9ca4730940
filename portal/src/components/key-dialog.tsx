import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import type { KeyWish } from '../api/keys.ts';
import type { IssuedKey } from '../api/types.ts';
import { faultText } from '../forms/fault.ts';
import type { Role } from '../tenant/permissions.ts';
import { scopes, scopesOf } from '../tenant/scopes.ts';
import { IssuedKeyView } from './issued-key.tsx';
import { Refusal } from './refusal.tsx';
import { Button } from './ui/button.tsx';
import { Checkbox } from './ui/checkbox.tsx';
import { Actions, Dialog } from './ui/dialog.tsx';
import { Field } from './ui/field.tsx';
import { Input, Select } from './ui/input.tsx';

const MAX_NAME_LENGTH = 100;
const DAY_MS = 86_400_000;
/** Days a key may be asked for. */
const lives = [1, 7, 30, 90, 365, 730] as const;
const DEFAULT_DAYS = 90;

const Wish = z.object({
  name: z.string().trim().min(1, 'fault.required').max(MAX_NAME_LENGTH, `fault.tooLong:${MAX_NAME_LENGTH}`),
  days: z.coerce.number().int(),
  scopes: z.array(z.enum(scopes)).min(1, 'fault.scopes'),
});

type Props = {
  title: string;
  role: Role | undefined;
  host: string;
  create: (wish: KeyWish) => Promise<IssuedKey>;
  onClose: () => void;
};

/** Asks for a key by name, rights and time, then shows its secret this once. */
export function KeyDialog({ title, role, host, create, onClose }: Props) {
  const { t } = useTranslation();
  const [now] = useState(Date.now);
  const offered = scopesOf(role);
  const form = useForm({
    resolver: zodResolver(Wish),
    defaultValues: { name: '', days: DEFAULT_DAYS, scopes: offered.filter((scope) => scope === 'chat') },
  });
  const creating = useMutation({
    mutationFn: ({ name, days, scopes }: z.output<typeof Wish>) =>
      create({ name, scopes, expiresAt: new Date(now + days * DAY_MS).toISOString() }),
  });
  const { errors } = form.formState;
  if (creating.data !== undefined) return <IssuedKeyView issued={creating.data} host={host} onClose={onClose} />;
  return (
    <Dialog open onOpenChange={onClose} title={title}>
      <form onSubmit={form.handleSubmit((wish) => creating.mutate(wish))} noValidate className="space-y-5">
        <Field label={t('keys.name')} hint={t('keys.nameHint')} fault={faultText(t, errors.name)}>
          {(control) => <Input {...control} {...form.register('name')} autoComplete="off" />}
        </Field>
        <Field label={t('keys.expiry')}>
          {(control) => (
            <Select {...control} {...form.register('days')}>
              {lives.map((count) => (
                <option key={count} value={count}>
                  {t('keys.days', { count })}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <fieldset>
          <legend className="mb-2 font-medium text-sm">{t('keys.scopes')}</legend>
          <div className="grid gap-x-4 gap-y-2 sm:grid-cols-2">
            {offered.map((scope) => (
              <Checkbox key={scope} value={scope} label={t(`keys.scope.${scope}`)} {...form.register('scopes')} />
            ))}
          </div>
          {errors.scopes === undefined ? null : (
            <p role="alert" className="mt-2 text-danger text-sm">
              {t('fault.scopes')}
            </p>
          )}
        </fieldset>
        <Refusal error={creating.error} />
        <Actions>
          <Button variant="secondary" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" busy={creating.isPending}>
            {t('keys.create')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
