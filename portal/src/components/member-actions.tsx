import { useQueryClient } from '@tanstack/react-query';
import { Crown, Ellipsis, UserCog, UserMinus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { accountQuery } from '../api/account.ts';
import { changeRole, type GivenRole, handOver, membersQuery, removeMember } from '../api/members.ts';
import type { Member } from '../api/types.ts';
import { useReauthentication } from '../hooks/reauthentication.tsx';
import { may, type Role } from '../tenant/permissions.ts';
import { Refusal } from './refusal.tsx';
import { Button } from './ui/button.tsx';
import { ConfirmDialog } from './ui/confirm-dialog.tsx';
import { Dialog } from './ui/dialog.tsx';
import { Menu, MenuItem, MenuSeparator } from './ui/menu.tsx';

const givenRoles: readonly GivenRole[] = ['admin', 'member', 'billing'];

/** What the reader may do to another member: another role, the end of the membership, the ownership. */
export function MemberActions(props: { tenant: string; member: Member; reader: Role | undefined }) {
  const { tenant, member, reader } = props;
  const { t } = useTranslation();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState<'remove' | 'handOver'>();
  const [error, setError] = useState<unknown>();
  const { guarded, dialog } = useReauthentication();
  const { id, name } = member.person;
  const isOwner = may(reader, 'owner');
  if (!may(reader, 'members.write') || (member.role === 'owner' && !isOwner)) return null;
  const refresh = async () => {
    await queryClient.invalidateQueries({ queryKey: membersQuery(tenant).queryKey });
    await queryClient.invalidateQueries({ queryKey: accountQuery.queryKey });
  };
  const give = (role: GivenRole) => changeRole(tenant, id, role).then(refresh, setError);
  return (
    <>
      <Menu
        trigger={
          <Button variant="ghost" size="icon" aria-label={t('members.actions', { name })}>
            <Ellipsis aria-hidden />
          </Button>
        }
      >
        {givenRoles
          .filter((role) => role !== member.role)
          .map((role) => (
            <MenuItem key={role} onSelect={() => give(role)}>
              <UserCog aria-hidden />
              {t('members.changeRole', { role: t(`role.${role}`) })}
            </MenuItem>
          ))}
        <MenuSeparator />
        {isOwner && member.role !== 'owner' ? (
          <MenuItem onSelect={() => setAsking('handOver')}>
            <Crown aria-hidden />
            {t('members.handOver')}
          </MenuItem>
        ) : null}
        <MenuItem onSelect={() => setAsking('remove')} className="text-danger [&_svg]:text-danger">
          <UserMinus aria-hidden />
          {t('members.remove')}
        </MenuItem>
      </Menu>
      {asking === undefined ? null : (
        <ConfirmDialog
          title={t(`members.${asking}Title`, { name })}
          text={t(`members.${asking}Text`, { name })}
          deed={t(asking === 'remove' ? 'common.remove' : 'members.handOver')}
          onConfirm={() => guarded(() => (asking === 'remove' ? removeMember : handOver)(tenant, id)).then(refresh)}
          onClose={() => setAsking(undefined)}
        />
      )}
      {dialog}
      {error === undefined ? null : (
        <Dialog open onOpenChange={() => setError(undefined)} title={t('wentWrong.title')}>
          <Refusal error={error} className="" />
        </Dialog>
      )}
    </>
  );
}
