/** A user with initials, so that people are told apart from other references at a glance. */
import type { ReactNode } from 'react';
import classes from './value.module.css';

export function Initials({ name }: { readonly name: string }) {
  const letters = name
    .split(/\s+/)
    .filter(Boolean)
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? '')
    .join('')
    .toUpperCase();
  const tint = Array.from(name, (letter) => letter.codePointAt(0) ?? 0).reduce((sum, code) => sum + code, 0) % 5;
  return (
    <span className={classes['initials']} data-tint={tint} aria-hidden="true">
      {letters}
    </span>
  );
}

export function Person({ name, children }: { readonly name: string; readonly children?: ReactNode }) {
  return (
    <span className={classes['person']}>
      <Initials name={name} />
      {children ?? <span>{name}</span>}
    </span>
  );
}
