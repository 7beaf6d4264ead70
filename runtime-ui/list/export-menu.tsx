/** Takes the list along as a file: what is shown now, of all records it has. */
import { Button, Menu } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { Icon } from '../shared/icon.tsx';
import { apiQuery } from './list-query.ts';
import type { List } from './use-list.ts';

/** `name,amount,amount_currency,account(_title)`: references by their names, amounts with their currency. */
export function exportSelect(entity: UiEntity, fields: readonly UiField[]): string {
  const parts = new Set<string>();
  for (const field of fields) {
    if (field.children) continue;
    parts.add(field.reference ? `${field.key}(_title)` : field.key);
    if (field.currencyField && entity.fields.some(({ key }) => key === field.currencyField))
      parts.add(field.currencyField);
  }
  return [...parts].join(',');
}

function exportUrl(list: List, format: 'xlsx' | 'csv', all: boolean): string {
  const { entity, query, view, columns, order } = list;
  const fields = all
    ? entity.fields.filter(({ key }) => key !== 'deleted_at' && key !== 'version')
    : columns.map(({ field }) => field);
  const asked = apiQuery(query, view, exportSelect(entity, fields), order);
  return `${entity.url}/$export?${asked}&$format=${format}&$header=labels${format === 'csv' ? '&$bom=true' : ''}`;
}

export function ExportMenu({ list }: { readonly list: List }) {
  const { t } = useTranslation();
  const item = (format: 'xlsx' | 'csv', all: boolean) => (
    <Menu.Item component="a" href={exportUrl(list, format, all)} download leftSection={<Icon name="file" />}>
      {t(format === 'xlsx' ? 'list.exportXlsx' : 'list.exportCsv')}
    </Menu.Item>
  );
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button variant="default" leftSection={<Icon name="download" />} visibleFrom="sm">
          {t('list.export')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('list.exportColumns')}</Menu.Label>
        {item('xlsx', false)}
        {item('csv', false)}
        <Menu.Label>{t('list.exportAll')}</Menu.Label>
        {item('xlsx', true)}
        {item('csv', true)}
      </Menu.Dropdown>
    </Menu>
  );
}
