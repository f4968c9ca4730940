import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { accountQuery } from '../../api/account.ts';
import { eraseAccount } from '../../api/privacy.ts';
import { faultText } from '../../forms/fault.ts';
import { useReauthentication } from '../../hooks/reauthentication.tsx';
import { Refusal } from '../refusal.tsx';
import { Button } from '../ui/button.tsx';
import { Card, CardHeader } from '../ui/card.tsx';
import { Actions, Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Input } from '../ui/input.tsx';

/** The end of an account. The address typed once more says that it is meant. */
export function ErasureCard() {
  const { t } = useTranslation();
  const [asking, setAsking] = useState(false);
  return (
    <Card>
      <CardHeader title={t('privacy.erasureTitle')} text={t('privacy.erasureText')} />
      <Button variant="danger" onClick={() => setAsking(true)}>
        {t('privacy.erasure')}
      </Button>
      {asking ? <ErasureDialog onClose={() => setAsking(false)} /> : null}
    </Card>
  );
}

const Confirmation = z.object({ confirmation: z.string().trim().min(1, 'fault.required') });

function ErasureDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { data: account } = useQuery(accountQuery);
  const { guarded, dialog } = useReauthentication();
  const form = useForm({ resolver: zodResolver(Confirmation), defaultValues: { confirmation: '' } });
  const erasing = useMutation({
    mutationFn: (confirmation: string) => guarded(() => eraseAccount(confirmation)),
    onSuccess: async () => {
      queryClient.clear();
      await navigate({ to: '/erased' });
    },
  });
  return (
    <Dialog open onOpenChange={onClose} title={t('privacy.erasureDialogTitle')} text={t('privacy.erasureDialogText')}>
      <form
        onSubmit={form.handleSubmit(({ confirmation }) => erasing.mutate(confirmation))}
        noValidate
        className="space-y-5"
      >
        <Field
          label={t('privacy.erasureConfirm')}
          hint={account?.email}
          fault={faultText(t, form.formState.errors.confirmation)}
        >
          {(control) => <Input {...control} {...form.register('confirmation')} type="email" autoComplete="off" />}
        </Field>
        <Refusal error={erasing.error} />
        <Actions>
          <Button variant="secondary" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" variant="danger" busy={erasing.isPending}>
            {t('privacy.erasureDeed')}
          </Button>
        </Actions>
      </form>
      {dialog}
    </Dialog>
  );
}
