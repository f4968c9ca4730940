import { zodResolver } from '@hookform/resolvers/zod';
import { useMutation, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import { z } from 'zod';
import { accountQuery } from '../api/account.ts';
import { changeTenant, resourceQuery } from '../api/tenants.ts';
import type { TenantResource } from '../api/types.ts';
import { HeldFieldNote } from '../components/held-field-note.tsx';
import { PageHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card, CardHeader } from '../components/ui/card.tsx';
import { Field } from '../components/ui/field.tsx';
import { Input, Select } from '../components/ui/input.tsx';
import { Cell, Row, Table } from '../components/ui/table.tsx';
import { faultText } from '../forms/fault.ts';

const MAX_LENGTH = 80;
const residencies = ['any', 'eu', 'us'] as const;
const Settings = z.object({
  displayName: z.string().trim().min(1, 'fault.required').max(MAX_LENGTH, `fault.tooLong:${MAX_LENGTH}`),
  dataResidency: z.enum(residencies),
});
type Settings = z.output<typeof Settings>;

/** What holds for all of a tenant. A field that Git or kubectl holds is shown and explained, not offered. */
export function TenantSettingsPage() {
  const { t } = useTranslation();
  const { tenant } = useParams({ from: '/app/tenants/$tenant' });
  const { data: resource } = useSuspenseQuery(resourceQuery(tenant));
  return (
    <div className="max-w-2xl space-y-6">
      <PageHeader title={t('settings.title')} text={t('settings.text')} />
      <SettingsForm key={tenant} tenant={tenant} resource={resource} />
      <Managers resource={resource} />
    </div>
  );
}

function SettingsForm({ tenant, resource }: { tenant: string; resource: TenantResource }) {
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const { spec, fields } = resource;
  const form = useForm<Settings>({
    resolver: zodResolver(Settings),
    defaultValues: {
      displayName: spec.displayName ?? tenant,
      dataResidency: residencies.find((known) => known === spec.dataResidency) ?? 'any',
    },
  });
  const { dirtyFields, errors } = form.formState;
  const saving = useMutation({
    mutationFn: (wish: Settings) => {
      const changed = Object.entries(wish).filter(([name]) => dirtyFields[name as keyof Settings]);
      return changeTenant(tenant, Object.fromEntries(changed));
    },
    onSuccess: async (_, wish) => {
      form.reset(wish);
      await queryClient.invalidateQueries({ queryKey: resourceQuery(tenant).queryKey });
      await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
    },
  });
  const lockOf = (path: keyof Settings) => fields.find((field) => field.path === path && !field.editable);
  const nameLock = lockOf('displayName');
  const residencyLock = lockOf('dataResidency');
  return (
    <Card>
      <form onSubmit={form.handleSubmit((wish) => saving.mutate(wish))} noValidate className="space-y-5">
        <Field
          label={t('settings.displayName')}
          fault={faultText(t, errors.displayName)}
          hint={nameLock === undefined ? undefined : <HeldFieldNote field={nameLock} />}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register('displayName')}
              readOnly={nameLock !== undefined}
              autoComplete="off"
            />
          )}
        </Field>
        <Field
          label={t('settings.residency')}
          hint={residencyLock === undefined ? undefined : <HeldFieldNote field={residencyLock} />}
        >
          {(control) => (
            <Select {...control} {...form.register('dataResidency')} disabled={residencyLock !== undefined}>
              {residencies.map((residency) => (
                <option key={residency} value={residency}>
                  {t(`settings.residencyOf.${residency}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Refusal error={saving.error} />
        {saving.isSuccess ? <Alert tone="success">{t('settings.saved')}</Alert> : null}
        <Button type="submit" busy={saving.isPending} disabled={!form.formState.isDirty}>
          {t('common.save')}
        </Button>
      </form>
    </Card>
  );
}

function Managers({ resource }: { resource: TenantResource }) {
  const { t } = useTranslation();
  return (
    <Card>
      <CardHeader title={t('settings.managers')} text={t('settings.managersText')} />
      <Table label={t('settings.managers')} head={[t('settings.field'), t('settings.manager')]}>
        {resource.fields
          .filter(({ heldBy }) => heldBy !== 'nobody')
          .map(({ path, manager }) => (
            <Row key={path}>
              <Cell className="identifier">{path}</Cell>
              <Cell>{manager ?? t('settings.self')}</Cell>
            </Row>
          ))}
      </Table>
    </Card>
  );
}
