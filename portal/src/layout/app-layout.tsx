import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { Check, ChevronDown, LogOut, Plus, UserRound } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { accountQuery, signOut } from '../api/account.ts';
import { tenantsQuery } from '../api/tenants.ts';
import { Brand } from '../components/brand.tsx';
import { Button } from '../components/ui/button.tsx';
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '../components/ui/menu.tsx';
import { Preferences } from './preferences.tsx';

/** The frame of all pages of somebody who is signed in. */
export function AppLayout() {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="border-line border-b bg-surface">
        <div className="mx-auto flex w-full max-w-5xl items-center gap-2 px-4 py-2.5 sm:px-6">
          <Link to="/" className="mr-2 rounded-md">
            <Brand compact />
          </Link>
          <TenantMenu />
          <div className="ml-auto flex items-center gap-1">
            <Preferences />
            <AccountMenu />
          </div>
        </div>
      </header>
      <Outlet />
    </div>
  );
}

function TenantMenu() {
  const { t } = useTranslation();
  const { tenant } = useParams({ strict: false });
  const { data: tenants } = useQuery(tenantsQuery);
  const current = tenants?.find((membership) => membership.tenant === tenant);
  if (tenants === undefined || tenants.length === 0) return null;
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="small" className="min-w-0 max-w-56 shrink">
          {current === undefined ? null : <span className="sr-only">{t('shell.tenants')}:</span>}
          <span className="truncate">{current?.displayName ?? t('shell.tenants')}</span>
          <ChevronDown aria-hidden />
        </Button>
      }
    >
      <MenuLabel>{t('shell.tenants')}</MenuLabel>
      {tenants.map((membership) => (
        <MenuItem key={membership.tenant} asChild>
          <Link to="/tenants/$tenant" params={{ tenant: membership.tenant }}>
            <Check aria-hidden className={membership.tenant === tenant ? '' : 'invisible'} />
            <span className="truncate">{membership.displayName}</span>
          </Link>
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem asChild>
        <Link to="/tenants/new">
          <Plus aria-hidden />
          {t('shell.newTenant')}
        </Link>
      </MenuItem>
    </Menu>
  );
}

function AccountMenu() {
  const { t } = useTranslation();
  const { data: account } = useQuery(accountQuery);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut();
    queryClient.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon" aria-label={t('shell.account')}>
          <UserRound aria-hidden />
        </Button>
      }
    >
      <div className="px-2.5 py-1.5 text-sm">
        <p className="truncate font-medium">{account?.name}</p>
        <p className="truncate text-muted">{account?.email}</p>
      </div>
      <MenuSeparator />
      <MenuItem asChild>
        <Link to="/account">
          <UserRound aria-hidden />
          {t('shell.account')}
        </Link>
      </MenuItem>
      <MenuItem onSelect={leave}>
        <LogOut aria-hidden />
        {t('shell.signOut')}
      </MenuItem>
    </Menu>
  );
}
