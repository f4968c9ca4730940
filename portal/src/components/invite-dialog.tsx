import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { invitationsQuery, invite } from '../api/members.ts';
import { faultText } from '../forms/fault.ts';
import { email } from '../forms/schemas.ts';
import { languageNames, languages } from '../i18n/languages.ts';
import { Refusal } from './refusal.tsx';
import { Button } from './ui/button.tsx';
import { Checkbox } from './ui/checkbox.tsx';
import { Actions, Dialog } from './ui/dialog.tsx';
import { Field } from './ui/field.tsx';
import { Input, Select } from './ui/input.tsx';

const roles = ['member', 'admin', 'billing'] as const;
const Wish = z.object({ email, role: z.enum(roles), language: z.enum(languages) });
type Wish = z.output<typeof Wish>;

type Props = { tenant: string; onClose: (invited?: string) => void };

/** Invites somebody: address, role, and the language of the mail. */
export function InviteDialog({ tenant, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const queryClient = useQueryClient();
  const inviting = useMutation({
    mutationFn: (wish: Wish) => invite(tenant, wish),
    onSuccess: async (_, wish) => {
      await queryClient.invalidateQueries({ queryKey: invitationsQuery(tenant).queryKey });
      onClose(wish.email);
    },
  });
  const form = useForm<Wish>({
    resolver: zodResolver(Wish),
    defaultValues: { email: '', role: 'member', language: i18n.language === 'en' ? 'en' : 'de' },
  });
  return (
    <Dialog open onOpenChange={() => onClose()} title={t('members.inviteTitle')} text={t('members.inviteText')}>
      <form onSubmit={form.handleSubmit((wish) => inviting.mutate(wish))} noValidate className="space-y-5">
        <Field label={t('common.email')} fault={faultText(t, form.formState.errors.email)}>
          {(control) => <Input {...control} {...form.register('email')} type="email" autoComplete="off" />}
        </Field>
        <fieldset>
          <legend className="mb-2 font-medium text-sm">{t('members.role')}</legend>
          <div className="space-y-2.5">
            {roles.map((role) => (
              <Checkbox
                key={role}
                type="radio"
                value={role}
                label={<span className="font-medium">{t(`role.${role}`)}</span>}
                hint={t(`roleText.${role}`)}
                {...form.register('role')}
              />
            ))}
          </div>
        </fieldset>
        <Field label={t('profile.language')}>
          {(control) => (
            <Select {...control} {...form.register('language')}>
              {languages.map((language) => (
                <option key={language} value={language}>
                  {languageNames[language]}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Refusal error={inviting.error} />
        <Actions>
          <Button variant="secondary" onClick={() => onClose()}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" busy={inviting.isPending}>
            {t('members.send')}
          </Button>
        </Actions>
      </form>
    </Dialog>
  );
}
