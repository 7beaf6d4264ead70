/** Finds a record as one types. Value: `{id, _title}` or `undefined`. */
import { CloseButton, Combobox, InputBase, Loader, useCombobox } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { textOf } from '../values/field-value.tsx';
import { FoundOptions } from './found-options.tsx';
import { common, type InputProps } from './input-props.ts';
import { pickedOf } from './picked.ts';
import { usePortal } from './portal.ts';
import { useFound } from './use-found.ts';

export function LookupInput(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const withinPortal = usePortal();
  const target = props.field.reference ? model.entities[props.field.reference] : undefined;
  const picked = pickedOf(props.value);
  const [typed, setTyped] = useState<string | null>(null);
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setTyped(null);
    },
  });
  const found = useFound(target, typed ?? '', combobox.dropdownOpened);
  const options = found.data?.data ?? [];
  const clearable = picked !== null && !props.required && !props.disabled;
  const choose = (id: string) => {
    const option = options.find((each) => each.id === id);
    if (option) props.onChange({ id, _title: textOf(option['_title']) });
    combobox.closeDropdown();
  };
  return (
    <Combobox store={combobox} onOptionSubmit={choose} withinPortal={withinPortal}>
      <Combobox.Target withExpandedAttribute withAriaAttributes>
        <InputBase
          {...common(props)}
          disabled={props.disabled === true || !target}
          // The text may be of either direction; the arrow beside it stays where the page ends.
          styles={{ input: { unicodeBidi: 'plaintext' } }}
          autoComplete="off"
          placeholder={t('form.lookup')}
          value={typed ?? picked?._title ?? (picked ? t('value.unknown') : '')}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            combobox.openDropdown();
            combobox.updateSelectedOptionIndex();
          }}
          onClick={() => combobox.openDropdown()}
          onFocus={(event) => event.currentTarget.select()}
          onBlur={() => combobox.closeDropdown()}
          rightSectionPointerEvents={clearable ? 'all' : 'none'}
          rightSection={
            found.isFetching ? (
              <Loader size={14} />
            ) : clearable ? (
              <CloseButton
                size={24}
                iconSize={14}
                aria-label={`${t('action.clear')}: ${props.field.label}`}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => props.onChange(undefined)}
              />
            ) : (
              <Combobox.Chevron />
            )
          }
        />
      </Combobox.Target>
      <FoundOptions label={props.field.label} options={options} chosen={picked?.id} found={found} />
    </Combobox>
  );
}
