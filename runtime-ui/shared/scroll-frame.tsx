/** A frame around something wide that scrolls inside of it. It takes the focus, so that arrow keys scroll it. */
import type { ReactNode } from 'react';
import classes from './shared.module.css';

export function ScrollFrame({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- WCAG 2.1.1: scrolling must be possible by keyboard
    <section className={classes['frame']} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
