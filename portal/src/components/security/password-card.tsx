import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { accountQuery, changePassword } from '../../api/account.ts';
import { faultText } from '../../forms/fault.ts';
import { newPassword, typedPassword } from '../../forms/schemas.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { Refusal } from '../refusal.tsx';
import { Alert } from '../ui/alert.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { Field } from '../ui/field.tsx';
import { PasswordInput } from '../ui/password-input.tsx';

const empty = { present: '', password: '' };

/** Changes the password; somebody who came by another service or a passkey sets the first one. */
export function PasswordCard({ hasPassword }: { hasPassword: boolean }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { guarded, dialog } = useReauthentication();
  const Change = z.object({ present: hasPassword ? typedPassword : z.string(), password: newPassword });
  const form = useForm({ resolver: zodResolver(Change), defaultValues: empty });
  const changing = useMutation({
    mutationFn: ({ present, password }: typeof empty) =>
      guarded(() => changePassword({ newPassword: password, ...(hasPassword ? { presentPassword: present } : {}) })),
    onSuccess: async () => {
      form.reset(empty);
      await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
    },
  });
  const { errors } = form.formState;
  return (
    <Card>
      <CardHeader
        title={t('security.passwordTitle')}
        text={t(hasPassword ? 'security.passwordText' : 'security.setPasswordText')}
      />
      <form onSubmit={form.handleSubmit((change) => changing.mutate(change))} noValidate className="space-y-5">
        {hasPassword ? (
          <Field label={t('security.present')} fault={faultText(t, errors.present)}>
            {(control) => <PasswordInput {...control} {...form.register('present')} autoComplete="current-password" />}
          </Field>
        ) : null}
        <Field label={t('common.newPassword')} hint={t('common.passwordHint')} fault={faultText(t, errors.password)}>
          {(control) => <PasswordInput {...control} {...form.register('password')} autoComplete="new-password" />}
        </Field>
        <Refusal error={changing.error} />
        {changing.isSuccess ? <Alert tone="success">{t('security.passwordChanged')}</Alert> : null}
        <Button type="submit" variant="secondary" busy={changing.isPending}>
          {t(hasPassword ? 'security.changePassword' : 'security.setPassword')}
        </Button>
      </form>
      {dialog}
    </Card>
  );
}
