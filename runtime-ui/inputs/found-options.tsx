/** What was found as one typed, to choose from. */
import { Combobox } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { ApiRecord } from '../api/records.ts';
import { textOf } from '../values/field-value.tsx';

export function FoundOptions({
  label,
  options,
  chosen,
  found,
}: {
  readonly label: string;
  readonly options: readonly ApiRecord[];
  /** Id of the one that is chosen already, if one can be. */
  readonly chosen?: string | undefined;
  readonly found: { readonly isFetching: boolean; readonly isError: boolean };
}) {
  const { t } = useTranslation();
  return (
    <Combobox.Dropdown>
      <Combobox.Options mah={260} aria-label={label}>
        {options.map((option) => (
          <Combobox.Option key={option.id} value={option.id} active={option.id === chosen}>
            <span dir="auto">{textOf(option['_title'])}</span>
          </Combobox.Option>
        ))}
        {options.length === 0 ? (
          <Combobox.Empty>
            {found.isFetching ? t('state.loading') : found.isError ? t('form.failedSearch') : t('form.noMatch')}
          </Combobox.Empty>
        ) : null}
      </Combobox.Options>
    </Combobox.Dropdown>
  );
}
