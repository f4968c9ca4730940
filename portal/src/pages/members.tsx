import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { LogOut, MailPlus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../api/account.ts';
import { leaveTenant, membersQuery } from '../api/members.ts';
import { tenantsQuery } from '../api/tenants.ts';
import type { Member } from '../api/types.ts';
import { InvitationsCard } from '../components/invitations-card.tsx';
import { InviteDialog } from '../components/invite-dialog.tsx';
import { MemberActions } from '../components/member-actions.tsx';
import { PageHeader } from '../components/page.tsx';
import { Refusal } from '../components/refusal.tsx';
import { Alert } from '../components/ui/alert.tsx';
import { Badge } from '../components/ui/badge.tsx';
import { Button } from '../components/ui/button.tsx';
import { Card } from '../components/ui/card.tsx';
import { ConfirmDialog } from '../components/ui/confirm-dialog.tsx';
import { Spinner } from '../components/ui/spinner.tsx';
import { Cell, Row, Table } from '../components/ui/table.tsx';
import { formatDay } from '../format/dates.ts';
import { useLanguage } from '../hooks/language.ts';
import { may, type Role } from '../tenant/permissions.ts';

/** Who is in a tenant, and who is invited. */
export function MembersPage() {
  const { t } = useTranslation();
  const { tenant } = useParams({ from: '/app/tenants/$tenant' });
  const { data: tenants } = useQuery(tenantsQuery);
  const role = tenants?.find((membership) => membership.tenant === tenant)?.role;
  const { data: members, error } = useQuery(membersQuery(tenant));
  const [inviting, setInviting] = useState(false);
  const [invited, setInvited] = useState<string>();
  const mayChange = may(role, 'members.write');
  const invite = (
    <Button onClick={() => setInviting(true)}>
      <MailPlus aria-hidden />
      {t('members.invite')}
    </Button>
  );
  return (
    <div className="space-y-6">
      <PageHeader title={t('members.title')} text={t('members.text')} action={mayChange ? invite : undefined} />
      {invited === undefined ? null : <Alert tone="success">{t('members.sent', { email: invited })}</Alert>}
      <Card>
        <Refusal error={error} className="mb-0" />
        {members === undefined && error === null ? <Spinner /> : null}
        {members === undefined ? null : <MemberTable tenant={tenant} members={members} reader={role} />}
      </Card>
      <InvitationsCard tenant={tenant} mayChange={mayChange} />
      <Leave tenant={tenant} />
      {inviting ? (
        <InviteDialog
          tenant={tenant}
          onClose={(email) => {
            setInviting(false);
            setInvited(email);
          }}
        />
      ) : null}
    </div>
  );
}

type TableProps = { tenant: string; members: readonly Member[]; reader: Role | undefined };

function MemberTable({ tenant, members, reader }: TableProps) {
  const { t } = useTranslation();
  const language = useLanguage();
  const { data: account } = useQuery(accountQuery);
  const head = [t('members.person'), t('members.role'), t('members.joined'), ''];
  return (
    <Table label={t('members.title')} head={head}>
      {members.map((member) => {
        const isReader = member.person.id === account?.id;
        return (
          <Row key={member.person.id}>
            <Cell className="min-w-52">
              <span className="flex flex-wrap items-center gap-2 font-medium">
                {member.person.name}
                {isReader ? <Badge tone="primary">{t('common.you')}</Badge> : null}
              </span>
              <span className="block break-all text-muted">{member.person.email}</span>
            </Cell>
            <Cell>{t(`role.${member.role}`)}</Cell>
            <Cell className="whitespace-nowrap text-muted">{formatDay(member.joinedAt, language)}</Cell>
            <Cell className="text-right">
              {isReader ? null : <MemberActions tenant={tenant} member={member} reader={reader} />}
            </Cell>
          </Row>
        );
      })}
    </Table>
  );
}

function Leave({ tenant }: { tenant: string }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const leave = async () => {
    await leaveTenant(tenant);
    await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
    await navigate({ to: '/' });
  };
  return (
    <>
      <Button variant="quietDanger" className="-ml-4" onClick={() => setAsking(true)}>
        <LogOut aria-hidden />
        {t('members.leave')}
      </Button>
      {asking ? (
        <ConfirmDialog
          title={t('members.leaveTitle', { tenant })}
          text={t('members.leaveText')}
          deed={t('members.leave')}
          onConfirm={leave}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </>
  );
}
