/** Values that records take from others (`Field.fill`): what the row trigger does for new ones, for the rest of the write path. */
import { literal } from '#engine/db/identifiers.ts';
import { filledFields, type Fill, inputsOfFill } from '#engine/model/fill.ts';
import type { Entity, Field } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import { fillCall } from '#engine/schema/fills.ts';
import type { Scope } from '../scope.ts';
import type { Refusal } from './plan.ts';
import { column } from './sql.ts';

/**
 * Fields that are looked up anew when these keys are changed: what they were found by is among them, they themselves
 * are not, and the principal may change and read them, because what is not found stays. An amount that stands keeps
 * its currency.
 */
export function refilled(scope: Scope, entity: Entity, sent: ReadonlySet<string>): readonly Field[] {
  const fields = filledFields(entity);
  if (fields.length === 0) return NONE;
  const { readableFields, updatableFields } = scope.rights.of(entity.name);
  return fields.filter(
    (field) =>
      field.fill !== null &&
      field.companionOf === null &&
      !sent.has(field.key) &&
      updatableFields.has(field.key) &&
      readableFields.has(field.key) &&
      inputsOfFill(field.fill).some((key) => sent.has(key)),
  );
}

const NONE: readonly Field[] = [];

/**
 * What they are set to in an UPDATE of `x`: what is found by another reference than before, or what they were.
 * @param now SQL of a field's new value, where it has one
 */
export function refilledColumns(
  scope: Scope,
  entity: Entity,
  field: Field,
  now: (key: string) => string | undefined,
): readonly { readonly column: string; readonly value: string }[] {
  const { fill } = field;
  if (fill === null) return [];
  const reference = (key: string): string => {
    const input = entity.fields.get(key);
    return now(key) ?? (input ? `x.${column(input)}` : 'null');
  };
  const currency = field.currencyField === null ? undefined : entity.fields.get(field.currencyField);
  const asked = (currency && now(currency.key)) ?? null;
  const call = fillCall(scope.tenant.names.schema, field, fill, { record: 'x.id', reference, currency: asked });
  const moved = inputsOfFill(fill).flatMap((key) => {
    const [input, value] = [entity.fields.get(key), now(key)];
    return input && value !== undefined ? [`x.${column(input)} is distinct from ${value}`] : [];
  });
  const found = (what: string) => `(select f.${what} from ${call} f where ${moved.join(' or ') || 'true'})`;
  const take = (one: Field, what: string) => ({
    column: column(one),
    value: `coalesce(${found(what)}, x.${column(one)})`,
  });
  // A currency that was sent stands already.
  return [take(field, 'value'), ...(currency && now(currency.key) === undefined ? [take(currency, 'currency')] : [])];
}

/** Rows `r` about to be stored, with what the row trigger will find for them: conditions are asked about these. */
export function withFilled(scope: Scope, entity: Entity, fields: readonly Field[], source: string): string {
  const open = filledFields(entity).filter(({ key }) => fields.some((field) => field.key === key));
  if (open.length === 0) return source;
  const given = (key: string): string => {
    const field = fields.find((one) => one.key === key);
    return field ? `r.${column(field)}` : 'null';
  };
  const joins: string[] = [];
  const found = new Map<string, string[]>();
  const take = (key: string, value: string) => found.set(key, [...(found.get(key) ?? []), value]);
  for (const [index, field] of open.entries()) {
    if (field.fill === null) continue;
    const alias = `f${index + 1}`;
    const currency = field.currencyField === null ? null : given(field.currencyField);
    const asked = { record: 'r.id', reference: given, currency };
    const call = fillCall(scope.tenant.names.schema, field, field.fill, asked);
    joins.push(` left join lateral ${call} ${alias} on ${given(field.key)} is null`);
    take(field.key, `${alias}.value`);
    if (field.companionOf !== null && typeof field.default === 'string') take(field.key, literal(field.default));
    if (field.currencyField !== null) take(field.currencyField, `${alias}.currency`);
  }
  const columns = fields.map((field) => {
    const other = found.get(field.key);
    if (other === undefined) return `r.${column(field)}`;
    return `coalesce(${[`r.${column(field)}`, ...other].join(', ')}) as ${column(field)}`;
  });
  return `(select ${['r.id', ...columns].join(', ')} from ${source}${joins.join('')}) r`;
}

/**
 * What it means that a required field could not be filled (`unfilled`), or only with what breaks its rules (`unfit`);
 * `null` for other refusals.
 */
export function fillProblem(
  scope: Scope,
  { code, ids }: Refusal,
  pointerOf: (record: string) => string | undefined,
): Problem | null {
  if (code !== 'unfilled' && code !== 'unfit') return null;
  const [record = '', id = ''] = ids;
  const entity = [...scope.model.entities.values()].find(({ fieldsById }) => fieldsById.has(id));
  const field = entity?.fieldsById.get(id);
  const rights = entity && scope.rights.of(entity.name);
  const named = field && (rights?.readableFields.has(field.key) || rights?.creatableFields.has(field.key)) && field;
  const message = code === 'unfit' ? unfit(scope, named || null, field?.fill ?? null) : unfilled(named || null);
  const pointer = pointerOf(record);
  return new Problem('invalid', message, [
    {
      code: code === 'unfit' ? 'unfit' : 'required',
      message,
      ...(named && pointer !== undefined && { pointer: `${pointer}/${named.key}` }),
    },
  ]);
}

/** Whether there is none or one that may not be seen is not for them to know. */
function unfilled(field: Field | null): string {
  if (field) return `${field.label} is required: no value was found for it that you may see.`;
  return 'A value is required, and none was found for it.';
}

/** Only of what they may see there is a value at all, but a flag may have hidden it since. */
function unfit(scope: Scope, field: Field | null, fill: Fill | null): string {
  const label = field?.label ?? 'A value';
  const holder = scope.model.entities.get(fill?.entity ?? '');
  const source = holder?.fields.get(fill?.field ?? '');
  const seen = holder && source && scope.rights.of(holder.name).readableFields.has(source.key);
  const from = seen ? `“${source.label}” of a record of ${holder.pluralLabel}` : 'another record';
  return `${label} is taken from ${from}, and the value found there is not allowed here. Send a value.`;
}
