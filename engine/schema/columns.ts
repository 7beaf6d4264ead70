/** From a field to its columns. */
import { literal, qualified } from '../db/identifiers.ts';
import { inlineValue } from '../condition/to-sql.ts';
import type { ColumnSpec } from '../model/field-type.ts';
import { isFilled } from '../model/fill.ts';
import type { Entity, Field } from '../model/model.ts';
import { isReservedField } from '../model/naming.ts';
import type { Context } from './context.ts';
import { generatedFrom, generatedSql } from './generated.ts';
import { sequenceId, sequenceName } from './names.ts';
import { rollupState } from './rollups.ts';
import type { ColumnState } from './state.ts';

/** Columns of a field by id. The first has the field's id, further ones a suffix. */
export function columnsOf(
  context: Context,
  entity: Entity,
  field: Field,
): readonly (readonly [string, ColumnState, ColumnSpec])[] {
  return field.type.columns(field).map((spec, index) => {
    const id = index === 0 ? field.id : `${field.id}_${index}`;
    const generated = spec.computed ? generatedSql(entity, field, spec) : generatedFrom(field, spec.generated);
    const rollup = rollupState(context, entity, field);
    const column: ColumnState = {
      name: spec.name,
      type: spec.type,
      collation: spec.collation ?? null,
      notNull: index === 0 && generated === null && isRequired(field),
      default: generated === null ? defaultSql(context, entity, field, id, spec, index) : null,
      generated,
      identity: null,
      aside: false,
      label: field.label,
      field: isReservedField(field.key) ? null : field.key,
      ...(rollup && { rollup }),
    };
    return [id, column, spec] as const;
  });
}

/** A state is always one of the lifecycle's: the row trigger gives the first one to a record that names none. */
const isRequired = (field: Field): boolean => field.required || field.lifecycle !== null;

function defaultSql(
  context: Context,
  entity: Entity,
  field: Field,
  id: string,
  spec: ColumnSpec,
  index: number,
): string | null {
  if (spec.sequence) {
    const { prefix, digits, start, gapless } = spec.sequence;
    const counter = sequenceId(field, id);
    if (gapless)
      return `armature.draw_number(${literal(context.tenant.id)}::uuid, ${literal(counter)}, ${literal(prefix)}, ${digits}, ${start})`;
    const sequence = literal(qualified(context.tenant.names.schema, sequenceName(counter)));
    return `armature.sequence_text(${literal(prefix)}, ${digits}, nextval(${sequence}::regclass))`;
  }
  if (spec.default !== undefined) return spec.default;
  // The row trigger asks whether a currency was named; it knows the default itself.
  if (isFilled(entity, field)) return null;
  if (index > 0) return null;
  const lifecycle = field.lifecycle === null ? undefined : context.model.lifecycles.get(field.lifecycle);
  const value = field.default ?? lifecycle?.initial;
  return value === undefined || value === null ? null : inlineValue(value, spec.type);
}

/** `[name, type, whether it must have a value]` */
export type PlainColumn = readonly [string, string, boolean];

/**
 * Columns of a table of the engine's own, by id: `<table>_<name>`.
 * @param more what differs from a column without default, collation and identity, by name
 */
export function plainColumns(
  table: string,
  columns: readonly PlainColumn[],
  more: Readonly<Record<string, Partial<ColumnState>>> = {},
): Record<string, ColumnState> {
  return Object.fromEntries(
    columns.map(([name, type, notNull]) => {
      const column: ColumnState = {
        name,
        type,
        collation: null,
        notNull,
        default: null,
        generated: null,
        identity: null,
        aside: false,
        label: name,
        field: null,
        ...more[name],
      };
      return [`${table}_${name}`, column];
    }),
  );
}
