import { useTranslation } from 'react-i18next';
import { problemText } from '../api/problem-text.ts';
import { Alert } from './ui/alert.tsx';

/** Why the last thing did not work and what to do next; nothing where it did. */
export function Refusal({ error, className }: { error: unknown; className?: string }) {
  const { t } = useTranslation();
  if (error === undefined || error === null) return null;
  return (
    <Alert tone="danger" className={className ?? 'mt-5'}>
      {problemText(t, error)}
    </Alert>
  );
}
