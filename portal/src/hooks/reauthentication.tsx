import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { reauthenticate } from '../api/account.ts';
import { isCode } from '../api/queries.ts';
import { Refusal } from '../components/refusal.tsx';
import { Button } from '../components/ui/button.tsx';
import { Actions, Dialog } from '../components/ui/dialog.tsx';
import { Field } from '../components/ui/field.tsx';
import { PasswordInput } from '../components/ui/password-input.tsx';
import { faultText } from '../forms/fault.ts';
import { typedPassword } from '../forms/schemas.ts';

type Waiting = { readonly goOn: () => void; readonly giveUp: () => void };

/**
 * For deeds that need a recent sign-in. `guarded` runs one; where the API asks for a proof, the dialog asks for the
 * password and the deed runs again.
 */
export function useReauthentication(): {
  guarded: <Result>(deed: () => Promise<Result>) => Promise<Result>;
  dialog: ReactNode;
} {
  const [waiting, setWaiting] = useState<Waiting>();
  const guarded = async <Result,>(deed: () => Promise<Result>): Promise<Result> => {
    try {
      return await deed();
    } catch (error) {
      if (!isCode(error, 'reauthentication_required')) throw error;
      await new Promise<void>((resolve, reject) => setWaiting({ goOn: resolve, giveUp: () => reject(error) }));
      return deed();
    }
  };
  const end = (way: 'goOn' | 'giveUp') => {
    waiting?.[way]();
    setWaiting(undefined);
  };
  const dialog =
    waiting === undefined ? null : <PasswordDialog onProved={() => end('goOn')} onClose={() => end('giveUp')} />;
  return { guarded, dialog };
}

const Proof = z.object({ password: typedPassword });

function PasswordDialog({ onProved, onClose }: { onProved: () => void; onClose: () => void }) {
  const { t } = useTranslation();
  const proving = useMutation({ mutationFn: reauthenticate, onSuccess: onProved });
  const form = useForm({ resolver: zodResolver(Proof), defaultValues: { password: '' } });
  return (
    <Dialog open onOpenChange={onClose} title={t('reauth.title')} text={t('reauth.text')}>
      <form onSubmit={form.handleSubmit(({ password }) => proving.mutate(password))} noValidate className="space-y-5">
        <Field label={t('common.password')} fault={faultText(t, form.formState.errors.password)}>
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="current-password" />}
        </Field>
        <Refusal error={proving.error} />
        <Actions>
          <Button variant="secondary" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" busy={proving.isPending}>
            {t('reauth.confirm')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
