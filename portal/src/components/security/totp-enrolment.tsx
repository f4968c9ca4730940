import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { confirmTotp } from '../../api/second-factors.ts';
import { faultText } from '../../forms/fault.ts';
import { totpCode } from '../../forms/schemas.ts';
import { QrCode } from '../qr-code.tsx';
import { Refusal } from '../refusal.tsx';
import { Button } from '../ui/button.tsx';
import { CopyButton } from '../ui/copy-button.tsx';
import { Actions, Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';
import { Input } from '../ui/input.tsx';
import { RecoveryCodesDialog } from './recovery-codes.tsx';

const Proof = z.object({ code: totpCode });

type Props = { enrolment: { otpauthUrl: string; secret: string }; onClose: () => void };

/** Scan, type the code, done: and the recovery codes, where these are the first. */
export function TotpEnrolment({ enrolment, onClose }: Props) {
  const { t } = useTranslation();
  const form = useForm({ resolver: zodResolver(Proof), defaultValues: { code: '' } });
  const confirming = useMutation({
    mutationFn: confirmTotp,
    onSuccess: ({ recoveryCodes }) => {
      if (recoveryCodes === null) onClose();
    },
  });
  const codes = confirming.data?.recoveryCodes;
  if (codes) return <RecoveryCodesDialog codes={codes} onClose={onClose} />;
  return (
    <Dialog open persistent onOpenChange={onClose} title={t('security.totpTitle')} text={t('security.scan')}>
      <div className="flex flex-col items-center gap-5 sm:flex-row">
        <QrCode text={enrolment.otpauthUrl} label={t('security.qr')} />
        <div className="w-full min-w-0 flex-1 space-y-2">
          <p className="font-medium text-sm">{t('security.manual')}</p>
          <p className="identifier rounded-lg bg-sunken px-3 py-2">{enrolment.secret.match(/.{1,4}/g)?.join(' ')}</p>
          <CopyButton text={enrolment.secret} />
        </div>
      </div>
      <form onSubmit={form.handleSubmit(({ code }) => confirming.mutate(code))} noValidate className="mt-6">
        <Field label={t('security.enterCode')} fault={faultText(t, form.formState.errors.code)}>
          {(control) => (
            <Input
              {...control}
              {...form.register('code')}
              inputMode="numeric"
              autoComplete="one-time-code"
              className="tabular min-h-12 font-mono text-lg tracking-[0.2em]"
            />
          )}
        </Field>
        <Refusal error={confirming.error} />
        <Actions>
          <Button variant="secondary" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" busy={confirming.isPending}>
            {t('security.activate')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
