/** Finds records as one types and keeps those chosen as tags. Value: `[{id, _title}]`. */
import { Combobox, Loader, Pill, PillsInput, useCombobox } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { textOf } from '../values/field-value.tsx';
import { FoundOptions } from './found-options.tsx';
import { common, type InputProps } from './input-props.ts';
import { type Picked, pickedOf } from './picked.ts';
import { usePortal } from './portal.ts';
import { useFound } from './use-found.ts';

export function LinksInput(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const withinPortal = usePortal();
  const target = props.field.list ? model.entities[props.field.list.entity] : undefined;
  const linked: readonly Picked[] = Array.isArray(props.value) ? props.value.flatMap((one) => pickedOf(one) ?? []) : [];
  const [typed, setTyped] = useState('');
  const combobox = useCombobox({
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      setTyped('');
    },
  });
  const found = useFound(target, typed, combobox.dropdownOpened);
  const options = (found.data?.data ?? []).filter((option) => linked.every(({ id }) => id !== option.id));
  const disabled = props.disabled === true || !target;
  const remove = (id: string) => props.onChange(linked.filter((one) => one.id !== id));
  const choose = (id: string) => {
    const option = options.find((each) => each.id === id);
    if (option) props.onChange([...linked, { id, _title: textOf(option['_title']) }]);
    setTyped('');
    combobox.resetSelectedOption();
  };
  const { id, ...shared } = common(props);
  return (
    <Combobox store={combobox} onOptionSubmit={choose} withinPortal={withinPortal}>
      <Combobox.DropdownTarget>
        <PillsInput
          {...shared}
          disabled={disabled}
          onClick={() => combobox.openDropdown()}
          rightSection={found.isFetching ? <Loader size={14} /> : null}
        >
          <Pill.Group>
            {linked.map((one) => (
              <Pill
                key={one.id}
                withRemoveButton={!disabled}
                onRemove={() => remove(one.id)}
                removeButtonProps={{
                  'aria-label': t('form.removeLink', { title: one._title ?? t('value.unknown') }),
                  'aria-hidden': false,
                }}
              >
                <span dir="auto">{one._title ?? t('value.unknown')}</span>
              </Pill>
            ))}
            <Combobox.EventsTarget withExpandedAttribute withAriaAttributes>
              <PillsInput.Field
                {...(id ? { id } : {})}
                aria-label={props.label ?? props.ariaLabel ?? props.field.label}
                disabled={disabled}
                value={typed}
                placeholder={linked.length === 0 ? t('form.lookup') : t('form.linkMore')}
                onFocus={() => combobox.openDropdown()}
                onBlur={() => combobox.closeDropdown()}
                onChange={(event) => {
                  setTyped(event.currentTarget.value);
                  combobox.openDropdown();
                  combobox.updateSelectedOptionIndex();
                }}
                onKeyDown={(event) => {
                  const last = linked.at(-1);
                  if (event.key === 'Backspace' && typed === '' && last) {
                    event.preventDefault();
                    remove(last.id);
                  }
                }}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      <FoundOptions label={props.field.label} options={options} found={found} />
    </Combobox>
  );
}
