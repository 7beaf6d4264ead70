/** Values as SQL for the columns of one entity's table, and what they mean for the conditions of permissions. */
import { literal, quote } from '#engine/db/identifiers.ts';
import type { Entity, Field, Model } from '#engine/model/model.ts';
import { canaryValue, token } from './canary.ts';
import type { Expectation, Facts } from './expectation.ts';
import type { Row } from './subjects.ts';

export class SqlValues {
  readonly #model: Model;
  readonly #entity: Entity;
  readonly #expectation: Expectation;
  readonly #rows: readonly Row[];
  readonly #table: string;
  readonly #columns: readonly Field[];

  /** @param table the entity's, quoted, with its schema */
  constructor(model: Model, entity: Entity, expectation: Expectation, rows: readonly Row[], table: string) {
    this.#model = model;
    this.#entity = entity;
    this.#expectation = expectation;
    this.#rows = rows;
    this.#table = table;
    this.#columns = [...entity.fields.values()].filter((field) => field.column !== null);
  }

  /** SQL of a value the column takes that is not the present one; `null` when there is none to be had. */
  valueFor(field: Field, row: Row | undefined): string | null {
    if (field.lifecycle !== null) return null;
    const present = row?.values[field.key] ?? null;
    if (field.options['pattern'] !== undefined) return literalOrNull(present);
    // Only the server seals: another record's value.
    if (field.type.sealed === true)
      return literalOrNull(
        this.#rows.find(({ values }) => (values[field.key] ?? present) !== present)?.values[field.key],
      );
    if (field.reference && !field.system) {
      if (present !== null) return field.required ? literalOrNull(present) : 'null';
      const other = this.#rows.find(({ values }) => typeof values[field.key] === 'string');
      if (other) return literalOrNull(other.values[field.key]);
      if (field.reference.entity === 'core.user') return 'armature.user_id()';
      const target = this.#model.entities.get(field.reference.entity);
      const schema = this.#table.split('.')[0];
      return target && !field.required && !target.owner && target.parent === null && target.pack !== 'core'
        ? `(select id from ${schema}.${quote(target.table)} order by id limit 1)`
        : null;
    }
    if (field.type.attached !== undefined) return 'gen_random_uuid()';
    if (field.key === 'id') return `gen_random_uuid()`;
    if (field.key === 'version') return '99';
    if (field.key === 'deleted_at') return null;
    if (field.system) return field.key.endsWith('_at') ? 'now()' : null;
    if (field.type.computed === true || field.formula !== null) return null;
    const canary = canaryValue(field, token());
    if (Array.isArray(canary)) return `array[${canary.map(literal).join()}]`;
    if (typeof canary === 'string') return literal(canary);
    const choice = field.choices?.find(({ key }) => key !== row?.values[field.key]);
    if (choice) return field.type.valueType === 'texts' ? `array[${literal(choice.key)}]` : literal(choice.key);
    if (field.type.key === 'boolean') return String(row?.values[field.key] !== true);
    if (field.type.key === 'percent') return '12';
    if (field.type.key === 'currency') return literal('USD');
    if (field.type.key === 'datetime') return 'now()';
    if (field.type.key === 'date') return `date '2026-02-03'`;
    if (field.type.key === 'integer') return String(Number(field.options['min'] ?? 0) + 1);
    return null;
  }

  /** What conditions ask for when the field has the value of {@link SqlValues.valueFor}: null, or that of another record. */
  factsWith(field: Field, row: Row | undefined): Facts {
    const present = row?.values[field.key] ?? null;
    const other =
      field.required || present === null
        ? this.#rows.find(({ values }) =>
            present === null ? typeof values[field.key] === 'string' : values === row?.values,
          )
        : undefined;
    const facts = this.#expectation.factsOf(this.#entity.name).filter((fact) => fact.split('.')[0] === field.key);
    return Object.fromEntries(facts.map((fact) => [fact, other?.facts[fact] ?? null]));
  }

  requiredColumns(row: Row | undefined): Record<string, string> | null {
    const values: Record<string, string> = {};
    for (const field of this.#columns) {
      if (field.system || !field.required || field.default !== undefined || field.readOnly) continue;
      const value = field.reference ? literalOrNull(row?.values[field.key]) : this.valueFor(field, row);
      if (value === null) return null;
      values[field.key] = value;
    }
    return values;
  }
}

/** SQL of what a step sets. */
export function setTo(value: unknown): string {
  if (typeof value !== 'object' || value === null)
    return value === null ? 'null' : literal(typeof value === 'string' ? value : JSON.stringify(value));
  if ('now' in value) return 'now()';
  return 'today' in value ? 'current_date' : 'armature.user_id()';
}

export const literalOrNull = (value: unknown): string => (typeof value === 'string' ? literal(value) : 'null');
