/** react-jsonschema-form's view of a value: finds our field and draws its input, its sub-table or its stored value. */
import { Input } from '@mantine/core';
import type { FieldProps } from '@rjsf/utils';
import { useTranslation } from 'react-i18next';
import { fieldOf } from '../api/model.ts';
import { FieldInput } from '../inputs/field-input.tsx';
import { FieldValue } from '../values/field-value.tsx';
import classes from './form.module.css';
import { useRecordForm } from './form-context.ts';
import { SubTable } from './sub-table.tsx';
import { writable } from './wire.ts';

export function RecordField({
  name,
  fieldPathId,
  formData,
  onChange,
  errorSchema,
  rawErrors,
  required,
  disabled,
}: FieldProps) {
  const { t } = useTranslation();
  const { entity, mode, stored } = useRecordForm();
  const field = fieldOf(entity, name);
  if (!field) return null;
  const change = (value: unknown) => onChange(value, fieldPathId.path);
  const id = fieldPathId.$id;
  if (field.children)
    return (
      <SubTable
        id={id}
        field={field}
        value={formData}
        onChange={change}
        errors={errorSchema ?? {}}
        message={rawErrors?.join(' ') ?? null}
        editable={writable(field, mode) && !disabled}
        mode={mode}
      />
    );
  if (!writable(field, mode)) {
    const description = field.help ?? (field.schema === null && field.type !== 'state' ? t('form.computed') : null);
    return (
      <Input.Wrapper
        label={field.label}
        description={description}
        labelElement="div"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
      >
        <div className={classes['stored']}>
          <FieldValue field={field} value={stored[name]} record={stored} empty="—" />
        </div>
      </Input.Wrapper>
    );
  }
  return (
    <FieldInput
      field={field}
      id={id}
      label={field.label}
      description={field.help}
      error={rawErrors?.join(' ') ?? null}
      required={required ?? false}
      disabled={disabled ?? false}
      value={formData}
      onChange={change}
    />
  );
}
