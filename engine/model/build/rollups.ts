/** Rollups: what list they are over, what type their value has, and whether it is kept in a column. */
import type { Condition } from '../../condition/condition.ts';
import { asksTheClock, manyOf, operandsOf, treesOf } from '../../condition/operands.ts';
import { lookUp } from '../naming.ts';
import { rollupReturning } from '../fields/types/rollup.ts';
import type { Many, Rollup, RollupFunction } from '../relations.ts';
import { conditionAt } from './conditions.ts';
import { addCompanion, type DerivedContext, derivedId, refuseFlags } from './derived-field.ts';
import { type DraftEntity, type DraftField, fieldNamed } from './draft.ts';
import { bareField } from './fields.ts';
import { fieldTypes } from '../fields/index.ts';

export function tieRollup(context: DerivedContext, tie: (field: DraftField) => boolean): void {
  const { draft, entity, field, document, at } = context;
  const { of, fn, field: key, where } = field.options;
  field.column = null;
  if (typeof of !== 'string' || !isFunction(fn)) return;
  const found = listOf(context, of);
  if (!found) return;
  const other = draft.entities.get(found.many.entity);
  if (!other) return;
  const stored = found.many.via === 'children';
  if (!stored) refuseFlags(context, 'it is computed when it is read');
  for (const flag of ['required', 'unique', 'search'] as const) {
    if (stored && document[flag])
      draft.faults.add(at(flag), 'invalid', `A rollup field cannot have “${flag}”: nobody writes it.`);
  }
  const measured = measuredField(context, other, fn, key, tie);
  if (measured === undefined) return;
  const type = rollupReturning(resultOf(fn, measured));
  if (!type) {
    draft.faults.add(
      at('fn'),
      'invalid',
      `“${fn}” is not possible for “${String(key)}” (${measured?.type.key ?? ''}).`,
      {
        found: fn,
      },
    );
    return;
  }
  const condition = conditionAt(draft, where, other, at('where'));
  if (condition && stored) checkStored(context, condition);
  const rollup: Rollup = {
    list: found.list,
    many: found.many,
    fn,
    field: measured?.key ?? null,
    currency: null,
    where: condition,
  };
  field.type = type;
  if (fn === 'avg' && measured?.type.valueType === 'integer') field.options = { ...field.options, scale: 2 };
  else if (measured?.options['scale'] !== undefined)
    field.options = { ...field.options, scale: measured.options['scale'] };
  keep(field, rollup, stored);
  if (measured && isMoney(measured)) {
    const currency = fieldTypes.get('currency');
    if (!currency) return;
    const companion: DraftField = {
      ...bareField(currency, `${field.key}_currency`, `${field.label} currency`),
      id: derivedId(`currency ${field.id}`),
      readOnly: true,
      companionOf: field.key,
    };
    keep(companion, { ...rollup, fn: 'currency' }, stored);
    addCompanion(context, companion);
    field.currencyField = companion.key;
  }
  if (entity.fields.get(field.key) !== field) throw new TypeError(`${field.key} was replaced`);
}

/** What an amount is counted in is known once formulas are: a formula has the currency of what it was computed from. */
export function tieCurrencies(fields: Iterable<DraftField>, entityOf: (name: string) => DraftEntity | undefined): void {
  for (const field of fields) {
    const rollup = field.rollup ?? (field.derived?.kind === 'rollup' ? field.derived.rollup : null);
    const measured = rollup?.field == null ? undefined : entityOf(rollup.many.entity)?.fields.get(rollup.field);
    if (!rollup || !measured?.currencyField || (field.type.key === 'rollup' && !field.currencyField)) continue;
    keep(field, { ...rollup, currency: measured.currencyField }, field.rollup !== null);
  }
}

function keep(field: DraftField, rollup: Rollup, stored: boolean): void {
  const { valueType } = field.type;
  if (valueType === null) return;
  field.rollup = stored ? rollup : null;
  field.derived = stored ? null : { kind: 'rollup', rollup, type: valueType };
  field.column = stored ? field.key : null;
}

function isFunction(value: unknown): value is RollupFunction {
  return value === 'count' || value === 'sum' || value === 'avg' || value === 'min' || value === 'max';
}

/** Money, or a formula that returns it. */
function isMoney(field: DraftField): boolean {
  return (
    field.type.key === 'money' ||
    field.options['returns'] === 'money' ||
    (field.type.key === 'rollup' && field.currencyField !== null)
  );
}

function resultOf(fn: RollupFunction, measured: DraftField | null): string {
  if (fn === 'count' || measured === null) return 'integer';
  if (isMoney(measured)) return 'money';
  const returns = measured.options['returns'];
  const kind =
    typeof returns === 'string'
      ? returns
      : measured.type.key === 'rollup'
        ? (measured.type.valueType ?? '')
        : measured.type.key;
  const numeric = measured.type.valueType === 'integer' || measured.type.valueType === 'decimal';
  if ((fn === 'sum' || fn === 'avg') && !numeric) return '';
  if (fn === 'avg' && measured.type.valueType === 'integer') return 'decimal';
  if (rollupReturning(kind)) return kind;
  // Types that are numbers under another name: a rating, a duration.
  return measured.type.valueType ?? '';
}

/** The field that is summed up; `null` for `count`, `undefined` after a fault. */
function measuredField(
  { draft, at }: DerivedContext,
  other: DraftEntity,
  fn: RollupFunction,
  key: unknown,
  tie: (field: DraftField) => boolean,
): DraftField | null | undefined {
  if (key === undefined) {
    if (fn === 'count') return null;
    draft.faults.add(at('field'), 'missing', `“${fn}” needs the “field” whose values it is about.`, {
      expected: 'field',
    });
    return undefined;
  }
  if (typeof key !== 'string') return undefined;
  const field = fieldNamed(draft, other, key, at('field'));
  if (!field || !tie(field)) return undefined;
  if (fn === 'count') {
    draft.faults.add(at('field'), 'invalid', '“count” is about records and has no “field”.', { found: key });
    return undefined;
  }
  if (field.column === null) {
    draft.faults.add(at('field'), 'invalid', `“${key}” (${field.type.key}) has no value of its own there.`, {
      found: key,
    });
    return undefined;
  }
  return field;
}

/** `lines`, or `shop.order.buyer`: the reference of another entity that points here. */
function listOf(
  { draft, entity, at }: DerivedContext,
  of: string,
): { readonly list: string | null; readonly many: Many } | null {
  if (!of.includes('.')) {
    const list = fieldNamed(draft, entity, of, at('of'));
    if (!list) return null;
    if (list.many) return { list: of, many: list.many };
    draft.faults.add(at('of'), 'invalid', `“${of}” lists no records.`, { found: list.type.key });
    return null;
  }
  const parts = of.split('.');
  const key = parts.at(-1) ?? '';
  const name = lookUp(parts.slice(0, -1).join('.'), entity.pack, (one) => draft.entities.has(one));
  const other = name === undefined ? undefined : draft.entities.get(name);
  if (!other) {
    draft.faults.unknown(at('of'), 'entity', parts.slice(0, -1).join('.'), draft.entities.keys());
    return null;
  }
  const back = fieldNamed(draft, other, key, at('of'));
  if (!back) return null;
  if (back.reference?.entity !== entity.name) {
    draft.faults.add(at('of'), 'invalid', `“${key}” of ${other.name} does not point at ${entity.name}.`, { found: of });
    return null;
  }
  const holder = [...entity.fields.values()].find(
    ({ many }) => many && many.via !== 'links' && many.entity === other.name && many.field === key,
  );
  const via = other.parent?.entity === entity.name && other.parent.field === key ? 'children' : 'inverse';
  return { list: holder?.key ?? null, many: { via, entity: other.name, field: key } };
}

/** What is kept in a column changes with the parts alone: not with time, not with other records, and not with who asks. */
function checkStored({ draft, at }: DerivedContext, condition: Condition): void {
  const foreign =
    manyOf(condition).length > 0 ||
    treesOf(condition).length > 0 ||
    operandsOf(condition).some(
      (operand) => operand.kind === 'user' || (operand.kind === 'field' && operand.steps.length > 0),
    );
  if (foreign || asksTheClock(condition))
    draft.faults.add(
      at('where'),
      'invalid',
      'A rollup over parts is kept with the record: its condition may only look at the parts’ own fields.',
    );
}
