import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { type Added, addPasskey } from '../../api/second-factors.ts';
import { deviceOf } from '../../format/device.ts';
import { faultText } from '../../forms/fault.ts';
import { personName } from '../../forms/schemas.ts';
import { isCancelled } from '../../passkeys/browser.ts';
import { Refusal } from '../refusal.tsx';
import { Alert } from '../ui/alert.tsx';
import { Button } from '../ui/button.tsx';
import { Actions, Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Input } from '../ui/input.tsx';
import { RecoveryCodesDialog } from './recovery-codes.tsx';

const Wish = z.object({ name: personName });

type Props = { guarded: (deed: () => Promise<Added>) => Promise<Added>; onClose: () => void };

/** Names a passkey and has the browser make it; with the first second factor come the recovery codes. */
export function PasskeyDialog({ guarded, onClose }: Props) {
  const { t } = useTranslation();
  const device = deviceOf(navigator.userAgent);
  const form = useForm({
    resolver: zodResolver(Wish),
    defaultValues: { name: device === undefined ? '' : t('sessions.deviceOn', device) },
  });
  const adding = useMutation({
    mutationFn: (name: string) => guarded(() => addPasskey(name)),
    onSuccess: ({ recoveryCodes }) => {
      if (recoveryCodes === null) onClose();
    },
  });
  const codes = adding.data?.recoveryCodes;
  if (codes) return <RecoveryCodesDialog codes={codes} onClose={onClose} />;
  return (
    <Dialog open onOpenChange={onClose} title={t('security.passkeyAdd')} text={t('security.passkeysText')}>
      <form onSubmit={form.handleSubmit(({ name }) => adding.mutate(name))} noValidate className="space-y-5">
        <Field
          label={t('security.passkeyName')}
          hint={t('security.passkeyNameHint')}
          fault={faultText(t, form.formState.errors.name)}
        >
          {(control) => <Input {...control} {...form.register('name')} autoComplete="off" />}
        </Field>
        {isCancelled(adding.error) ? (
          <Alert tone="warning">{t('security.passkeyCancelled')}</Alert>
        ) : (
          <Refusal error={adding.error} />
        )}
        <Actions>
          <Button variant="secondary" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" busy={adding.isPending}>
            {t('security.passkeyAdd')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
