/** Catches what a page throws while it renders, so that a defect is told instead of a white page. Give it a `key` per page. */
import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../shared/states.tsx';

export class Boundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <Crashed /> : this.props.children;
  }
}

function Crashed() {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <EmptyState icon="alert" title={t('state.crash')} next={t('state.crashNext')}>
        <Button variant="default" onClick={() => window.location.reload()}>
          {t('state.retry')}
        </Button>
      </EmptyState>
    </div>
  );
}
