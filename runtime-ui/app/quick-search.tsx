/** Ctrl+K: jump to a list, or to any record by a few letters of it. */
import { Combobox, Loader, Modal, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQueries } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { readPage } from '../api/records.ts';
import { EntityIcon, Icon } from '../shared/icon.tsx';
import { textOf } from '../values/field-value.tsx';
import { navigate } from './place.ts';
import { menuPath, recordPath } from './route.ts';
import classes from './quick-search.module.css';

/** A search asks one question per entity; more would burden the server on each letter. */
const ENTITIES_ASKED = 6;
const FOUND_EACH = 4;

export function QuickSearch({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      withCloseButton={false}
      padding={0}
      centered={false}
      yOffset="12vh"
      size={560}
      attributes={{ content: { 'aria-label': t('search.title') } }}
    >
      {opened ? <Search onDone={onClose} /> : null}
    </Modal>
  );
}

function Search({ onDone }: { readonly onDone: () => void }) {
  const { t } = useTranslation();
  const model = useModel();
  const combobox = useCombobox({ opened: true });
  const [typed, setTyped] = useState('');
  const [text] = useDebouncedValue(typed.trim(), 180);
  const places = model.menus.flatMap((menu) =>
    menu.items.map((item) => ({ ...item, menu: menu.label, path: menuPath(model, item) })),
  );
  const entities = [...new Set(places.map((place) => place.entity))]
    .flatMap((name) => model.entities[name] ?? [])
    .slice(0, ENTITIES_ASKED);
  const found = useQueries({
    queries: entities.map((entity) => ({
      queryKey: ['quick', entity.url, text],
      enabled: text.length >= 2,
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        readPage(entity, `$select=id,_title&$first=${FOUND_EACH}&$search=${encodeURIComponent(text)}`, signal),
    })),
  });
  const goTo = places
    .filter((place) => place.path && place.label.toLowerCase().includes(typed.trim().toLowerCase()))
    .slice(0, text ? 3 : 8);
  const hits = entities.flatMap((entity, at) => (found[at]?.data?.data ?? []).map((record) => ({ entity, record })));
  const busy = text.length >= 2 && found.some((query) => query.isFetching);
  const count = goTo.length + hits.length;
  const results = [...goTo.map((place) => place.key), ...hits.map((hit) => hit.record.id)].join(' ');
  const { selectFirstOption } = combobox;
  useEffect(() => {
    if (results) selectFirstOption();
  }, [results, selectFirstOption]);
  // At once: a dialog gives the focus a moment later, and the first letters would be lost.
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const go = (path: string) => {
    onDone();
    void navigate(path);
  };
  return (
    <Combobox store={combobox} onOptionSubmit={go}>
      <Combobox.EventsTarget withExpandedAttribute>
        <TextInput
          ref={input}
          data-autofocus
          size="lg"
          variant="unstyled"
          className={classes['input'] ?? ''}
          leftSection={<Icon name="search" size={18} />}
          rightSection={busy ? <Loader size={16} /> : null}
          aria-label={t('search.title')}
          placeholder={t('search.placeholder')}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </Combobox.EventsTarget>
      <Combobox.Options className={classes['options'] ?? ''} aria-label={t('search.title')}>
        {goTo.length > 0 ? (
          <Combobox.Group label={t('search.goTo')}>
            {goTo.map((place) => (
              <Combobox.Option
                key={`${place.menu}${place.key}`}
                value={place.path ?? '/'}
                className={classes['option'] ?? ''}
              >
                <EntityIcon name={place.icon ?? model.entities[place.entity]?.icon ?? null} label={place.label} />
                <span>{place.label}</span>
                <small>{place.menu}</small>
              </Combobox.Option>
            ))}
          </Combobox.Group>
        ) : null}
        {entities.map((entity) => {
          const own = hits.filter((hit) => hit.entity === entity);
          return own.length === 0 ? null : (
            <Combobox.Group key={entity.name} label={entity.pluralLabel}>
              {own.map(({ record }) => (
                <Combobox.Option
                  key={record.id}
                  value={recordPath(entity, record.id)}
                  className={classes['option'] ?? ''}
                >
                  <EntityIcon name={entity.icon} label={entity.label} />
                  <span dir="auto">{textOf(record['_title'])}</span>
                </Combobox.Option>
              ))}
            </Combobox.Group>
          );
        })}
        {count === 0 && !busy ? (
          <Combobox.Empty>{text.length < 2 ? t('search.start') : t('search.none', { text })}</Combobox.Empty>
        ) : null}
      </Combobox.Options>
    </Combobox>
  );
}
