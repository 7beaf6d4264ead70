/** Which kind of record, and then which one. Value: `{entity, id, _title}` or `undefined`. */
import { Group, Input, Select } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useModel } from '../api/model.ts';
import { isObject } from '../api/problem.ts';
import { common, type InputProps } from './input-props.ts';
import { LookupInput } from './lookup-input.tsx';
import { usePortal } from './portal.ts';

export function AnyReferenceInput(props: InputProps) {
  const { t } = useTranslation();
  const model = useModel();
  const withinPortal = usePortal();
  const targets = (props.field.targets ?? []).flatMap((name) => model.entities[name] ?? []);
  const stored = isObject(props.value) && typeof props.value['entity'] === 'string' ? props.value['entity'] : null;
  const [chosen, setChosen] = useState<string | null>(null);
  // Where there is one kind only, nobody has to choose it.
  const entity = stored ?? chosen ?? (targets.length === 1 ? (targets[0]?.name ?? null) : null);
  const { description, error, withAsterisk, disabled, size, inputWrapperOrder } = common(props);
  const name = props.label ?? props.ariaLabel ?? props.field.label;
  return (
    <Input.Wrapper
      label={props.label}
      description={description}
      error={error}
      withAsterisk={withAsterisk}
      size={size}
      inputWrapperOrder={inputWrapperOrder}
      {...(props.id ? { labelProps: { htmlFor: props.id } } : {})}
    >
      <Group gap={6} wrap="nowrap" align="flex-start">
        <Select
          aria-label={t('form.anyKind', { label: name })}
          data={targets.map((target) => ({ value: target.name, label: target.label }))}
          value={entity}
          onChange={(next) => {
            setChosen(next);
            props.onChange(undefined);
          }}
          allowDeselect={false}
          disabled={disabled}
          size={size}
          w={140}
          style={{ flex: 'none' }}
          comboboxProps={{ withinPortal }}
        />
        <div style={{ flex: 1, minWidth: 0 }}>
          <LookupInput
            key={entity ?? ''}
            field={{ ...props.field, reference: entity }}
            ariaLabel={name}
            {...(props.id ? { id: props.id } : {})}
            required={props.required ?? false}
            disabled={disabled || entity === null}
            size={size}
            value={props.value}
            onChange={(picked) => {
              if (isObject(picked)) props.onChange({ ...picked, entity });
              else {
                setChosen(entity);
                props.onChange(undefined);
              }
            }}
          />
        </div>
      </Group>
    </Input.Wrapper>
  );
}
