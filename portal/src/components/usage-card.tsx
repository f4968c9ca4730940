import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usageQuery } from '../api/tenants.ts';
import { formatEuro } from '../format/money.ts';
import { useLanguage } from '../hooks/language.ts';
import { Card, CardHeader } from './ui/card.tsx';
import { Cell, Row, Table } from './ui/table.tsx';

/** Milliseconds between two looks: the API sums usage up every ten seconds, so an event comes before its sum. */
const ROLLED_UP_MS = 10_000;

/** What the last days cost, by model: the provider's part and ours. */
export function UsageCard({ tenant }: { tenant: string }) {
  const { t } = useTranslation();
  const language = useLanguage();
  const [today] = useState(() => new Date());
  const { data: sums } = useQuery({ ...usageQuery(tenant, today), refetchInterval: ROLLED_UP_MS });
  const count = new Intl.NumberFormat(language);
  const number = 'tabular text-right';
  const head = [
    t('usage.model'),
    ...(['requests', 'cost', 'margin', 'total'] as const).map((key) => (
      <span key={key} className="block text-right">
        {t(`usage.${key}`)}
      </span>
    )),
  ];
  return (
    <Card>
      <CardHeader title={t('usage.title')} text={t('usage.text')} />
      {sums === undefined || sums.length === 0 ? (
        <p className="py-4 text-muted text-sm">{sums === undefined ? t('common.loading') : t('usage.empty')}</p>
      ) : (
        <Table label={t('usage.title')} head={head}>
          {sums.map(({ model, requests, costNanoEur, marginNanoEur, totalNanoEur }) => (
            <Row key={model}>
              <Cell className="font-medium">{model}</Cell>
              <Cell className={number}>{count.format(requests)}</Cell>
              <Cell className={number}>{formatEuro(costNanoEur, language)}</Cell>
              <Cell className={number}>{formatEuro(marginNanoEur, language)}</Cell>
              <Cell className={`${number} font-medium`}>{formatEuro(totalNanoEur, language)}</Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}
