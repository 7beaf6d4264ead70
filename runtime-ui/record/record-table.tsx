/** A small table of records: rows of a child, or the first of a related list. */
import { Table } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { UiEntity, UiField } from '../../engine/api/ui-model.ts';
import { isNumeric, kindOf } from '../api/field-kind.ts';
import { recordPath } from '../app/route.ts';
import form from '../form/form.module.css';
import type { Values } from '../form/wire.ts';
import { Link } from '../shared/link.tsx';
import { ScrollFrame } from '../shared/scroll-frame.tsx';
import { FieldValue, textOf } from '../values/field-value.tsx';
import values from '../values/value.module.css';
import classes from './record.module.css';

interface RecordTableProps {
  readonly label: string;
  readonly fields: readonly UiField[];
  readonly records: readonly Values[];
  /** Adds a first column with the title, which leads to the record. */
  readonly titled?: UiEntity;
}

export function RecordTable({ label, fields, records, titled }: RecordTableProps) {
  const { t } = useTranslation();
  if (records.length === 0) return <p className={classes['none']}>{t('form.noRows')}</p>;
  return (
    <ScrollFrame label={label}>
      <Table verticalSpacing={7} horizontalSpacing={12}>
        <Table.Thead>
          <Table.Tr>
            {titled ? <Table.Th>{titled.label}</Table.Th> : null}
            {fields.map((field) => (
              <Table.Th key={field.key} className={side(field)}>
                {field.label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {records.map((record) => (
            <Table.Tr key={textOf(record['id'])}>
              {titled ? (
                <Table.Td>
                  <Link className={values['link']} href={recordPath(titled, textOf(record['id']))} dir="auto">
                    {textOf(record['_title']) || '—'}
                  </Link>
                </Table.Td>
              ) : null}
              {fields.map((field) => (
                <Table.Td key={field.key} className={side(field)}>
                  <FieldValue field={field} value={record[field.key]} record={record} empty="—" />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollFrame>
  );
}

/** Where values of the field stand in their column. */
function side(field: UiField): string {
  return form[isNumeric(kindOf(field)) ? 'number' : 'text'] ?? '';
}
