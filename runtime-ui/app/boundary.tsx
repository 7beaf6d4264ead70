/** Catches what a page throws while it renders, so that a defect is told instead of a white page. */
import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { EmptyState } from '../shared/states.tsx';

interface BoundaryProps {
  readonly children: ReactNode;
  /** A new value forgets the failure: another page may work. */
  readonly resetKey?: string;
}

export class Boundary extends Component<BoundaryProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override componentDidUpdate(before: BoundaryProps) {
    if (this.state.failed && before.resetKey !== this.props.resetKey) this.setState({ failed: false });
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
