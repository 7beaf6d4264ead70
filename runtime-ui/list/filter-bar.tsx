/** The filters of a list as chips, and the button to add one. */
import { Button, CloseButton, Popover, UnstyledButton } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldOf, useModel } from '../api/model.ts';
import { readRecord } from '../api/records.ts';
import { useFormat } from '../i18n/format.ts';
import { Icon } from '../shared/icon.tsx';
import { textOf } from '../values/field-value.tsx';
import classes from './filter.module.css';
import { FilterEditor } from './filter-editor.tsx';
import { conditionLabel, conditionOf, valueLabel } from './filter-words.ts';
import type { Filter } from './list-query.ts';
import { type List, withFilter } from './use-list.ts';

export function FilterBar({ list }: { readonly list: List }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const { filters } = list.query;
  const titles = useTitles(list);
  const save = (next: Filter, replaced: Filter | null) => list.change({ filters: withFilter(filters, next, replaced) });
  return (
    <>
      {filters.map((filter) => (
        <Chip
          key={`${filter.field} ${filter.operator}`}
          list={list}
          filter={filter}
          titles={titles}
          onSave={(next) => save(next, filter)}
          onRemove={() => list.change({ filters: filters.filter((each) => each !== filter) })}
        />
      ))}
      <Popover opened={adding} onChange={setAdding} position="bottom-start" trapFocus returnFocus closeOnEscape={false}>
        <Popover.Target>
          <Button
            variant={filters.length > 0 ? 'subtle' : 'default'}
            color="gray"
            leftSection={<Icon name={filters.length > 0 ? 'plus' : 'filter'} />}
            onClick={() => setAdding((open) => !open)}
            aria-label={t('list.addFilter')}
            aria-expanded={adding}
          >
            {t('list.filter')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown>
          <FilterEditor
            list={list}
            titles={titles}
            filter={null}
            onClose={() => setAdding(false)}
            onSave={(next) => {
              setAdding(false);
              save(next, null);
            }}
          />
        </Popover.Dropdown>
      </Popover>
      {filters.length > 1 ? (
        <Button variant="subtle" color="gray" onClick={() => list.change({ filters: [] })}>
          {t('list.clearFilters')}
        </Button>
      ) : null}
    </>
  );
}

interface ChipProps {
  readonly list: List;
  readonly filter: Filter;
  readonly titles: ReadonlyMap<string, string>;
  readonly onSave: (filter: Filter) => void;
  readonly onRemove: () => void;
}

function Chip({ list, filter, titles, onSave, onRemove }: ChipProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const field = fieldOf(list.entity, filter.field);
  if (!field) return null;
  const condition = conditionLabel(field, conditionOf(filter), t);
  const value = filter.operator === 'null' ? '' : valueLabel(field, filter, titles, format, t);
  const label = `${field.label} ${condition} ${value}`.trim();
  return (
    <span className={classes['chip']}>
      <Popover opened={open} onChange={setOpen} position="bottom-start" trapFocus returnFocus closeOnEscape={false}>
        <Popover.Target>
          <UnstyledButton
            className={classes['chipText'] ?? ''}
            onClick={() => setOpen((was) => !was)}
            aria-label={t('list.editFilter', { label })}
            aria-expanded={open}
          >
            <span>{field.label}</span>
            <span className={classes['chipCondition']}>{condition}</span>
            {value ? <strong dir="auto">{value}</strong> : null}
          </UnstyledButton>
        </Popover.Target>
        <Popover.Dropdown>
          <FilterEditor
            list={list}
            titles={titles}
            filter={filter}
            onClose={() => setOpen(false)}
            onSave={(next) => {
              setOpen(false);
              onSave(next);
            }}
          />
        </Popover.Dropdown>
      </Popover>
      <CloseButton size={24} iconSize={14} aria-label={t('list.removeFilter', { label })} onClick={onRemove} />
    </span>
  );
}

/** Titles of the records the filters name, by id: the address holds only ids. */
function useTitles(list: List): ReadonlyMap<string, string> {
  const model = useModel();
  const wanted = list.query.filters.flatMap((filter) => {
    const target = model.entities[fieldOf(list.entity, filter.field)?.reference ?? ''];
    return target && filter.operator !== 'null'
      ? filter.values.filter((id) => id !== '@me').map((id) => ({ id, target }))
      : [];
  });
  const found = useQueries({
    queries: wanted.map(({ id, target }) => ({
      queryKey: ['title', target.url, id],
      staleTime: 300_000,
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        textOf((await readRecord(target, id, 'id,_title', signal)).record['_title']),
    })),
  });
  return new Map(wanted.map(({ id }, at) => [id, found[at]?.data ?? (found[at]?.isError ? '?' : '…')]));
}
