/** Formulas: parsed, typed, put in order. A formula that reads another one carries it inside, so that it reads stored fields alone. */
import type { Formula } from '../../formula/formula.ts';
import { orderFormulas } from '../../formula/order.ts';
import { parseFormula } from '../../formula/parse.ts';
import { Problem } from '../../problem.ts';
import type { Place } from '../faults.ts';
import type { FieldType } from '../field-type.ts';
import type { Draft, DraftEntity, DraftField } from './draft.ts';

/** Digits of the column of a decimal result (`numeric(38, scale)`). */
const DIGITS = 38;
const DEFAULT_SCALE = 2;

export function buildFormulas(draft: Draft): void {
  for (const entity of draft.entities.values()) buildEntityFormulas(draft, entity);
}

function buildEntityFormulas(draft: Draft, entity: DraftEntity): void {
  const formulas = new Map<string, Formula>();
  const places = new Map<string, Place>();
  const notes = draft.notes.get(entity.name);
  // Itself among them: a formula that reads itself is told as the cycle that it is.
  // What is computed when it is read cannot be part of what is kept with the record.
  const types = new Map(
    [...entity.fields.values()].map(
      (field) =>
        [field.key, field.derived === null && !pointsSomewhere(entity, field) ? inFormulas(field) : NONE] as const,
    ),
  );
  for (const field of entity.fields.values()) {
    const { expr, scale } = field.options;
    const { valueType } = field.type;
    if (field.type.key !== 'formula' || typeof expr !== 'string' || valueType === null || !notes) continue;
    const place = notes.effective.place('fields', notes.written.get(field.key)?.index ?? 0, 'expr');
    places.set(field.key, place);
    const decimals = typeof scale === 'number' ? scale : DEFAULT_SCALE;
    const decimal = valueType === 'decimal' ? { scale: decimals, digits: DIGITS - decimals } : {};
    absorbing(draft, place, () => {
      formulas.set(
        field.key,
        parseFormula(expr, {
          fields: types,
          returns: valueType,
          pointer: place.pointer,
          ...decimal,
        }),
      );
    });
  }
  if (formulas.size === 0) return;
  // The pointer is only known for the formula at fault, so it stands in for its key until then.
  absorbing(draft, null, () => {
    for (const [key, formula] of orderFormulas(formulas, (key) => key).inlined) {
      const field = entity.fields.get(key);
      if (!field) continue;
      field.formula = formula;
      field.currencyField = currencyOf(draft, entity, key, formula, places.get(key));
    }
  });

  function absorbing(draft: Draft, place: Place | null, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'invalid_document') throw error;
      for (const { code, message, params, pointer = '' } of error.errors) {
        draft.faults.add(place ?? places.get(pointer) ?? { document: entity.name, pointer: '' }, code, message, params);
      }
    }
  }
}

const NONE = { valueType: null };

/**
 * A reference to one of several entities is shown, with all that comes with it, to those who see the record it points at.
 * What is kept with a record is shown to everybody who sees the record.
 */
function pointsSomewhere({ fields }: DraftEntity, { companionOf }: DraftField): boolean {
  return companionOf !== null && fields.get(companionOf)?.type.key === 'any_reference';
}

/** What a type's own SQL computes cannot be computed from again, and what is sealed says nothing to the database. */
function inFormulas({ type }: DraftField): Pick<FieldType, 'valueType'> {
  const unusable =
    type.sealed === true || type.attached !== undefined || (type.computed === true && type.key !== 'formula');
  return unusable ? { valueType: null } : type;
}

/** A result in money has the currency of the money it was computed from. */
function currencyOf(
  draft: Draft,
  entity: DraftEntity,
  key: string,
  formula: Formula,
  place: Place | undefined,
): string | null {
  const field = entity.fields.get(key);
  if (field?.options['returns'] !== 'money') return null;
  const named = field.options['currency'];
  if (typeof named !== 'string') {
    return (
      formula.reads.map((read) => entity.fields.get(read)?.currencyField).find((found) => typeof found === 'string') ??
      null
    );
  }
  const source = entity.fields.get(named);
  if (source?.currencyField) return source.currencyField;
  if (place)
    draft.faults.unknown(
      { ...place, pointer: place.pointer.replace(/expr$/, 'currency') },
      'money field',
      named,
      moneyFields(entity),
    );
  return null;
}

function* moneyFields(entity: DraftEntity): Generator<string> {
  for (const field of entity.fields.values())
    if (field.companions.length > 0 && field.currencyField !== null) yield field.key;
}
