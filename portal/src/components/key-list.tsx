import { useTranslation } from 'react-i18next';
import type { Key } from '../api/types.ts';
import { formatDay, formatDistance } from '../format/dates.ts';
import { useLanguage } from '../hooks/language.ts';
import { Badge } from './ui/badge.tsx';
import { Button } from './ui/button.tsx';
import { Cell, Row, Table } from './ui/table.tsx';

type Props = {
  label: string;
  keys: readonly Key[] | undefined;
  empty: string;
  onRevoke: (key: Key) => void;
};

/** Keys with how they begin and end, what they may, and until when. Revoked ones are left out. */
export function KeyList({ label, keys, empty, onRevoke }: Props) {
  const { t } = useTranslation();
  const language = useLanguage();
  const live = keys?.filter(({ revokedAt }) => revokedAt === null);
  if (live === undefined || live.length === 0) {
    return <p className="py-2 text-muted text-sm">{live === undefined ? t('common.loading') : empty}</p>;
  }
  const now = new Date();
  const head = [t('keys.name'), t('keys.scopes'), t('keys.used'), t('keys.expires'), ''];
  return (
    <Table label={label} head={head}>
      {live.map((key) => {
        const isExpired = key.expiresAt !== null && new Date(key.expiresAt) <= now;
        return (
          <Row key={key.id}>
            <Cell className="min-w-40">
              <span className="block font-medium">{key.name}</span>
              <span className="identifier whitespace-nowrap text-muted">
                {key.prefix}…{key.lastFour}
              </span>
            </Cell>
            <Cell className="min-w-36">
              <span className="flex flex-wrap gap-1.5">
                {key.scopes.map((scope) => (
                  <Badge key={scope}>{t(`keys.scope.${scope}` as 'keys.scope.chat', { defaultValue: scope })}</Badge>
                ))}
              </span>
            </Cell>
            <Cell className="whitespace-nowrap text-muted">
              {key.lastUsedAt === null ? t('common.never') : formatDistance(key.lastUsedAt, language, now)}
            </Cell>
            <Cell className="whitespace-nowrap text-muted">
              {isExpired ? (
                <Badge tone="warning">{t('keys.expired')}</Badge>
              ) : key.expiresAt === null ? (
                '–'
              ) : (
                formatDay(key.expiresAt, language)
              )}
            </Cell>
            <Cell className="text-right">
              <Button
                variant="quietDanger"
                size="small"
                aria-label={t('keys.revokeNamed', { name: key.name })}
                onClick={() => onRevoke(key)}
              >
                {t('keys.revoke')}
              </Button>
            </Cell>
          </Row>
        );
      })}
    </Table>
  );
}
