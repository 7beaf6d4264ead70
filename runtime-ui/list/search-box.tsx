import { CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../shared/icon.tsx';
import classes from './list-page.module.css';

const PAUSE_MS = 250;

/** Searches as one types, a moment after the last letter. Esc empties it. */
export function SearchBox({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value);
  const tell = useDebouncedCallback(onChange, PAUSE_MS);
  // Another value in the address (Back, a link) replaces what was typed; what was typed just now does not.
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (typed.trim() !== value) setTyped(value);
  }
  const set = (text: string) => {
    setTyped(text);
    tell(text.trim());
  };
  return (
    <TextInput
      className={classes['search'] ?? ''}
      data-list-search
      type="search"
      dir="auto"
      size="sm"
      aria-label={label}
      placeholder={label}
      leftSection={<Icon name="search" />}
      rightSection={
        typed ? <CloseButton size={24} iconSize={14} aria-label={t('action.clear')} onClick={() => set('')} /> : null
      }
      value={typed}
      onChange={(event) => set(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') set('');
      }}
    />
  );
}
