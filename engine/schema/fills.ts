/**
 * Values that a new record takes from another one. The row trigger looks them up when none was given, so it holds for
 * every way of writing, and for people who may not write the field themselves. What is found is only what the one who
 * writes may read: the function runs as the owner and asks for the very permissions itself, so that no two of them add
 * up to more than each gives. A value that breaks the rules of the field it is for is refused, not stored and not cut.
 */
import { fit, literal, qualified, quote } from '../db/identifiers.ts';
import { filledFields, type Fill, inputsOfFill } from '../model/fill.ts';
import type { Entity, Field } from '../model/model.ts';
import { SQL_TYPE } from '../model/value-type.ts';
import type { Context } from './context.ts';
import { parentOf, policySql, tableOf } from './context.ts';
import { PINNED } from './owner.ts';
import { placed } from './generated.ts';
import { callerReaches } from './row-rights.ts';

/**
 * The function that finds a value: `(record, references…, currency)` → the value and its currency. It refuses `unfit`,
 * with the record's id and the field's, what breaks the field's rules.
 */
export function fillName(field: Field): string {
  // Postgres replaces no function by one of other arguments or another result.
  return fit(`fill_${field.id}_${field.fill ? inputsOfFill(field.fill).length : 0}_${field.type.valueType}_of`);
}

/** A call of it. Everything is SQL: the record's id, what the references are by their keys, the currency that is asked for. */
export function fillCall(
  schema: string,
  field: Field,
  fill: Fill,
  given: { readonly record: string; readonly reference: (key: string) => string; readonly currency: string | null },
): string {
  const inputs = inputsOfFill(fill).map(given.reference);
  return `${qualified(schema, fillName(field))}(${[given.record, ...inputs, given.currency ?? 'null'].join(', ')})`;
}

interface Kept {
  readonly field: Field;
  readonly fill: Fill;
  readonly source: Field;
  readonly holder: Entity;
}

function fillsOf({ model }: Context, entity: Entity): readonly Kept[] {
  return filledFields(entity).flatMap((field) => {
    const holder = model.entities.get(field.fill?.entity ?? '');
    const source = holder?.fields.get(field.fill?.field ?? '');
    return field.fill && holder && source ? [{ field, fill: field.fill, source, holder }] : [];
  });
}

/** By name: one function for each field. */
export function fillFunctions(context: Context, entity: Entity): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fillsOf(context, entity).map((kept) => [fillName(kept.field), fillFunction(context, entity, kept)]),
  );
}

function fillFunction(context: Context, entity: Entity, { field, fill, source, holder }: Kept): string {
  const name = qualified(context.tenant.names.schema, fillName(field));
  const inputs = inputsOfFill(fill);
  const asked = `$${inputs.length + 2}`;
  const looked = [
    source.key,
    source.currencyField,
    ...fill.match.map((one) => one.field),
    ...fill.order.map((one) => one.field),
  ];
  const conditions = [
    ...fill.match.map((one) => `h.${quote(one.field)} = ${wanted(context, entity, inputs, one)}`),
    ...(source.currencyField === null ? [] : [`(${asked} is null or h.${quote(source.currencyField)} = ${asked})`]),
    ...alive(context, holder, 'h'),
    ...(fill.when === null ? [] : [`(${policySql(fill.when, 'h.', context)})`]),
    reaches(context, holder, 'h.', looked),
  ];
  const order = [
    ...fill.order.map((one) => `h.${quote(one.field)} ${one.descending ? 'desc nulls last' : 'asc nulls last'}`),
    'h."created_at" desc',
    'h."id" desc',
  ];
  const type = SQL_TYPE[source.type.valueType ?? 'text'];
  const currency = source.currencyField === null ? 'null::text' : `h.${quote(source.currencyField)}`;
  const parameters = ['uuid', ...inputs.map(() => 'uuid'), 'text'].join(', ');
  const rules = rulesOf(field, source);
  const unfit = `if (${rules.join(' and ')}) is false then ${refusal('unfit', '$1', field)} end if;`;
  return `create or replace function ${name}(${parameters}, out value ${type}, out currency text) returns setof record language plpgsql stable security definer ${PINNED} as $body$
#variable_conflict use_column
begin
  select h.${quote(source.key)}, ${currency} into value, currency from ${tableOf(context, holder)} h
  where ${conditions.join('\n    and ')}
    and h.${quote(source.key)} is not null
  order by ${order.join(', ')} limit 1;
  if not found then return; end if;
  ${rules.length === 0 ? '' : `${unfit}\n  `}return next;
end $body$`;
}

const refusal = (code: string, record: string, field: Field): string =>
  `perform armature.refuse(${literal(code)}, pg_catalog.json_build_array(${record}::text, ${literal(field.id)}));`;

/** What must hold of a `value` from over there: the checks of the column it is for, and that nothing of it is rounded. */
function rulesOf(field: Field, source: Field): readonly string[] {
  const [column] = field.type.columns(field);
  const [from] = source.type.columns(source);
  const checks = (column?.checks ?? []).map(({ sql }) => `(${placed(field, sql).replaceAll('{}', 'value')})`);
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(column?.type ?? '') ?? [];
  if (precision === undefined || scale === undefined || column?.type === from?.type) return checks;
  const room = `abs(value) < 1e${Number(precision) - Number(scale)}::numeric`;
  return [`scale(trim_scale(value)) <= ${scale}`, room, ...checks];
}

/** What a reference over there must be: an argument, or a reference of the record it names, as far as that may be read. */
function wanted(
  context: Context,
  entity: Entity,
  inputs: readonly string[],
  { by, of }: Fill['match'][number],
): string {
  const argument = `$${inputs.indexOf(by) + 2}`;
  const way = of === null ? undefined : context.model.entities.get(entity.fields.get(by)?.reference?.entity ?? '');
  if (of === null || !way) return argument;
  const conditions = [`w."id" = ${argument}`, ...alive(context, way, 'w'), reaches(context, way, 'w.', [of])];
  return `(select w.${quote(of)} from ${tableOf(context, way)} w where ${conditions.join(' and ')})`;
}

/** Whether one permission of the caller's shows the record with all of these fields. */
function reaches(context: Context, entity: Entity, alias: string, keys: readonly (string | null)[]): string {
  const ids = keys.flatMap((key) => {
    const field = key === null ? undefined : entity.fields.get(key);
    return field && !field.system ? [field.id] : [];
  });
  return callerReaches(
    context,
    entity,
    'read',
    alias,
    ({ fields }) => fields === null || ids.every((id) => fields.has(id)),
  );
}

/** Deleted records hold nothing, and neither do their parts. */
function alive(context: Context, entity: Entity, alias: string): readonly string[] {
  const own = entity.softDelete ? [`${alias}."deleted_at" is null`] : [];
  const parent = parentOf(context, entity);
  if (!parent) return own;
  const above = alive(context, parent.entity, `${alias}p`);
  if (above.length === 0) return own;
  const whole = `${alias}p."id" = ${alias}.${quote(parent.field)}`;
  return [
    ...own,
    `exists (select from ${tableOf(context, parent.entity)} ${alias}p where ${[whole, ...above].join(' and ')})`,
  ];
}

/**
 * Statements of the row trigger for INSERT. A required value that is not found is refused with the record's id and the
 * field's, before anything else could stumble over it. Without a caller's role there is nobody whose rights to ask for.
 */
export function fillNew(context: Context, entity: Entity): string {
  return fillsOf(context, entity)
    .map(({ field, fill }) => {
      const own = `new.${quote(field.key)}`;
      const currency = field.currencyField === null ? null : `new.${quote(field.currencyField)}`;
      const reference = (key: string) => `new.${quote(key)}`;
      const given = fillCall(context.tenant.names.schema, field, fill, { record: 'new."id"', reference, currency });
      const fallback = currency === null ? undefined : entity.fields.get(field.currencyField ?? '')?.default;
      const taken = currency === null ? '' : ` ${currency} := filled.currency;`;
      const whole = [
        `    if ${own} is null and current_setting('role') <> 'none' then`,
        `      declare filled record; begin`,
        `        for filled in select f.value, f.currency from ${given} f loop ${own} := filled.value;${taken} end loop;`,
        `      end;`,
        ...(field.required ? [`      if ${own} is null then ${refusal('unfilled', 'new."id"', field)} end if;`] : []),
        `    end if;`,
        ...(typeof fallback === 'string' ? [`    ${currency} := coalesce(${currency}, ${literal(fallback)});`] : []),
      ];
      return `${whole.join('\n')}\n`;
    })
    .join('');
}
