/** What stands in the place of something that is on its way; says so to those who cannot see it. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './shared.module.css';

export function Waiting({
  className,
  children,
}: {
  readonly className?: string | undefined;
  readonly children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <output className={`${classes['block']} ${className ?? ''}`} aria-busy="true" aria-label={t('state.loading')}>
      {children}
    </output>
  );
}
