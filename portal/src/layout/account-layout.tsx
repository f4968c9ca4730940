import { useTranslation } from 'react-i18next';
import { Sections } from './sections.tsx';

/** The sections of one's own account. */
export function AccountLayout() {
  const { t } = useTranslation();
  const sections = [
    { to: '/account', label: t('account.profile'), exact: true },
    { to: '/account/security', label: t('account.security') },
    { to: '/account/sessions', label: t('account.sessions') },
    { to: '/account/privacy', label: t('account.privacy') },
  ] as const;
  return <Sections label={t('account.sections')} sections={[...sections]} />;
}
