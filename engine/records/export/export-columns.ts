/** The columns of an exported table: what was selected, with the fields of the records it refers to beside it. */
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
}

/** What a field or an entity is called by whoever exports. */
export type LabelOf = (named: Field | null, entity: Entity) => string;

/** @throws Problem `invalid_parameter` for what does not fit into a cell */
export function exportColumns(
  plan: SelectPlan,
  labelOf: LabelOf,
  path: readonly string[] = [],
  before = '',
): readonly ExportColumn[] {
  const { entity } = plan;
  return plan.items.flatMap((item): readonly ExportColumn[] => {
    switch (item.kind) {
      case 'field':
        return [column(path, item.field.key, before, labelOf(item.field, entity), item.field)];
      case 'title':
        return [column(path, '_title', before, path.length === 0 ? labelOf(null, entity) : '', null)];
      case 'reference':
        return exportColumns(
          item.target,
          labelOf,
          [...path, item.field.key],
          joined(before, labelOf(item.field, entity)),
        );
      case 'many':
        if (item.many.via === 'links')
          return [column(path, item.field.key, before, labelOf(item.field, entity), item.field)];
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

function column(
  path: readonly string[],
  key: string,
  before: string,
  label: string,
  field: Field | null,
): ExportColumn {
  const whole = [...path, key];
  return { path: whole, key: whole.join('.'), label: joined(before, label), field };
}

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
