/** The columns of an exported table: what was selected, with the fields of the records it refers to beside it. */
import type { ChoiceLabel } from '#engine/model/field-type.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import type { SelectPlan } from '../read/plan.ts';

export interface ExportColumn {
  /** Where the value stands in the record. */
  readonly path: readonly string[];
  /** `account.name` */
  readonly key: string;
  /** `Account: Name` */
  readonly label: string;
  /** `null` for a title. */
  readonly field: Field | null;
  /** What choices are called in the file; `null` for their keys. */
  readonly choiceLabel: ChoiceLabel | null;
}

/** What fields, entities and choices are called in the file. */
export interface Names {
  /** Of a field, or of the entity for `null`. */
  readonly label: (named: Field | null, entity: Entity) => string;
  /** Of the choices of an entity's fields; `null` for their keys. */
  readonly choices: (entity: Entity) => ChoiceLabel | null;
}

/** @throws Problem `invalid_parameter` for what does not fit into a cell */
export function exportColumns(
  plan: SelectPlan,
  names: Names,
  path: readonly string[] = [],
  before = '',
): readonly ExportColumn[] {
  const { entity } = plan;
  const column = (key: string, label: string, field: Field | null): ExportColumn => {
    const whole = [...path, key];
    return {
      path: whole,
      key: whole.join('.'),
      label: joined(before, label),
      field,
      choiceLabel: names.choices(entity),
    };
  };
  return plan.items.flatMap((item): readonly ExportColumn[] => {
    switch (item.kind) {
      case 'field':
        return [column(item.field.key, names.label(item.field, entity), item.field)];
      case 'title':
        return [column('_title', path.length === 0 ? names.label(null, entity) : '', null)];
      case 'reference':
        return exportColumns(
          item.target,
          names,
          [...path, item.field.key],
          joined(before, names.label(item.field, entity)),
        );
      case 'many':
        if (item.many.via === 'links') return [column(item.field.key, names.label(item.field, entity), item.field)];
        throw unfit(item.field.key, entity);
      case 'actions':
        throw unfit('_actions', entity);
      case 'may':
        throw unfit('_may', entity);
      default:
        throw unfit('a part of the selection', entity);
    }
  });
}

const joined = (before: string, label: string): string => [before, label].filter((part) => part !== '').join(': ');

function unfit(key: string, entity: Entity): Problem {
  const message = `“${key}” of ${entity.label} does not fit into a cell. Leave it out, or ask for application/x-ndjson.`;
  return new Problem('invalid_parameter', message, [{ code: 'invalid_parameter', message, parameter: '$select' }]);
}

/** The value of a column; `undefined` where a reference leads nowhere. */
export function valueAt(record: unknown, path: readonly string[]): unknown {
  let value: unknown = record;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
