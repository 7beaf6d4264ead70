/** The rows of a child entity, edited inside the form of their parent and saved with it. */
import { ActionIcon, Button, Input, Table } from '@mantine/core';
import type { ErrorSchema } from '@rjsf/utils';
import { useTranslation } from 'react-i18next';
import type { UiField } from '../../engine/api/ui-model.ts';
import { isNumeric, kindOf } from '../api/field-kind.ts';
import { useModel } from '../api/model.ts';
import { FieldInput } from '../inputs/field-input.tsx';
import { Icon } from '../shared/icon.tsx';
import { ScrollFrame } from '../shared/scroll-frame.tsx';
import { FieldValue } from '../values/field-value.tsx';
import { moneyOf } from '../inputs/money.ts';
import classes from './form.module.css';
import { useRecordForm } from './form-context.ts';
import { blank, type Mode, rowFields, rowsOf, type Values, writable } from './wire.ts';

interface SubTableProps {
  readonly id: string;
  readonly field: UiField;
  readonly value: unknown;
  /** Errors of the cells, by row and field. */
  readonly errors: ErrorSchema;
  /** What is wrong with the table as a whole. */
  readonly message: string | null;
  readonly editable: boolean;
  readonly mode: Mode;
  readonly onChange: (rows: readonly Values[]) => void;
}

export function SubTable({ id, field, value, errors, message, editable, mode, onChange }: SubTableProps) {
  const { t } = useTranslation();
  const model = useModel();
  const { sections } = useRecordForm();
  // A section that is called as its table says so once.
  const headed = sections.some((section) => section.label === field.label && section.fields.includes(field));
  const child = field.children ? model.entities[field.children.entity] : undefined;
  if (!child || !field.children) return null;
  const shown = rowFields(child, field.children.field);
  const fields = mode === 'create' ? shown.filter((each) => writable(each, 'create')) : shown;
  const rows = rowsOf(value);
  const set = (at: number, key: string, next: unknown) => onChange(rows.with(at, { ...rows[at], [key]: next }));
  return (
    <Input.Wrapper
      label={headed ? null : field.label}
      labelElement="div"
      description={field.help}
      error={message}
      id={id}
    >
      <ScrollFrame label={field.label}>
        <Table verticalSpacing={4} horizontalSpacing={6} className={classes['rows'] ?? ''} aria-label={field.label}>
          <Table.Thead>
            <Table.Tr>
              {fields.map((each) => (
                <Table.Th
                  key={each.key}
                  className={classes[isNumeric(kindOf(each)) ? 'number' : 'text'] ?? ''}
                  data-kind={kindOf(each)}
                >
                  {each.label}
                  {each.required ? (
                    <span className={classes['star']} aria-hidden="true">
                      {' '}
                      *
                    </span>
                  ) : null}
                </Table.Th>
              ))}
              {editable ? (
                <Table.Th className={classes['tail'] ?? ''}>
                  <span className="visually-hidden">{t('action.remove')}</span>
                </Table.Th>
              ) : null}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, at) => (
              // A row that is not saved yet has no identity but its place.
              <Table.Tr key={typeof row['id'] === 'string' ? row['id'] : `new-${at}`}>
                {fields.map((each) => (
                  <Table.Td key={each.key} className={classes[isNumeric(kindOf(each)) ? 'number' : 'text'] ?? ''}>
                    {editable && writable(each, typeof row['id'] === 'string' ? 'update' : 'create') ? (
                      <FieldInput
                        id={`${id}_${at}_${each.key}`}
                        field={each}
                        size="xs"
                        ariaLabel={t('form.rowField', { label: each.label, row: at + 1 })}
                        error={cellError(errors, at, each.key)}
                        required={each.required}
                        value={row[each.key]}
                        onChange={(next) => set(at, each.key, next)}
                      />
                    ) : (
                      <span className={classes['cell']}>
                        <Stored field={each} row={row} />
                      </span>
                    )}
                  </Table.Td>
                ))}
                {editable ? (
                  <Table.Td className={classes['tail'] ?? ''}>
                    <ActionIcon
                      aria-label={t('form.removeRow', { row: at + 1 })}
                      onClick={() => onChange(rows.toSpliced(at, 1))}
                    >
                      <Icon name="close" size={14} />
                    </ActionIcon>
                  </Table.Td>
                ) : null}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
        {rows.length === 0 ? <p className={classes['noRows']}>{t('form.noRows')}</p> : null}
      </ScrollFrame>
      {editable ? (
        <Button
          variant="subtle"
          size="xs"
          mt={4}
          leftSection={<Icon name="plus" size={14} />}
          onClick={() => onChange([...rows, blank(model, fields)])}
        >
          {t('form.addRow')}
        </Button>
      ) : null}
    </Input.Wrapper>
  );
}

/** A value of the row as the form holds it: an amount with its currency inside. */
export function Stored({ field, row }: { readonly field: UiField; readonly row: Values }) {
  const value = row[field.key];
  if (kindOf(field) !== 'money' || !field.currencyField || typeof value !== 'object')
    return <FieldValue field={field} value={value} record={row} empty="—" />;
  const money = moneyOf(value);
  return <FieldValue field={field} value={money.amount} record={{ [field.currencyField]: money.currency }} empty="—" />;
}

function cellError(errors: ErrorSchema, row: number, key: string): string | null {
  const own: unknown = Reflect.get(errors, row);
  const cell: unknown = typeof own === 'object' && own !== null ? Reflect.get(own, key) : undefined;
  const list: unknown = typeof cell === 'object' && cell !== null ? Reflect.get(cell, '__errors') : undefined;
  return Array.isArray(list) ? list.join(' ') : null;
}
