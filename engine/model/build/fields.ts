/** From a field's document to a field. References to other entities are names until all entities are there. */
import type { FieldDocument } from '../documents.ts';
import type { Place } from '../faults.ts';
import { fieldTypes, formulaReturning } from '../fields/index.ts';
import type { Companion, FieldType } from '../field-type.ts';
import type { Choice } from '../model.ts';
import { isReservedField, readable } from '../naming.ts';
import { type Draft, type DraftField, flagNamed } from './draft.ts';
import { fit } from '../../db/identifiers.ts';

const COMMON: ReadonlySet<string> = new Set([
  'key',
  'id',
  'was',
  'type',
  'label',
  'help',
  'required',
  'unique',
  'index',
  'search',
  'default',
  'fill',
  'flag',
  'removed',
]);
/** Longest key; the companion's suffix must fit as well. */
const MAX_KEY = 40;

export interface FieldContext {
  readonly draft: Draft;
  /** Qualified entity name. */
  readonly entity: string;
  readonly place: (...path: readonly (string | number)[]) => Place;
}

/** One of the engine's own fields. */
export function systemField(context: FieldContext, document: FieldDocument): DraftField | undefined {
  const type = fieldTypes.get(document.type);
  return type && { ...draftField(context, document, type), system: true, readOnly: true };
}

/** The field of a document, and the companion its type brings. Empty after a fault that leaves no field. */
export function documentFields(context: FieldContext, document: FieldDocument): readonly DraftField[] {
  const { draft, place } = context;
  const { key } = document;
  if (isReservedField(key)) {
    draft.faults.add(place('key'), 'reserved', `A field cannot be called “${key}”: the engine uses this name itself.`, {
      found: key,
    });
    return [];
  }
  const returns = document['returns'];
  const type =
    typeof returns === 'string' && document.type === 'formula'
      ? formulaReturning(returns)
      : fieldTypes.get(document.type);
  // The schema has seen to it that the type exists; whoever skipped the schema gets no field.
  if (!type) return [];
  const field = draftField(context, document, type);
  checkFlags(context, document, field);
  field.flag = flagNamed(draft, document.flag, context.entity.split('.')[0] ?? '', place('flag'));
  if (field.flag !== null && field.required && field.default === undefined)
    draft.faults.add(
      place('flag'),
      'invalid',
      'A required field behind a flag needs a default: without the flag nobody can give it a value.',
    );
  return [field, ...(type.companions ?? []).map((companion) => companionField(context, document, field, companion))];
}

function companionField(
  context: FieldContext,
  document: FieldDocument,
  field: DraftField,
  companion: Companion,
): DraftField {
  const { draft, place } = context;
  const { suffix, type, label } = companion;
  const key = `${field.key}${suffix}`;
  if (key.length > MAX_KEY) {
    draft.faults.add(
      place('key'),
      'invalid',
      `The key of a ${field.type.key} field has at most ${MAX_KEY - suffix.length} characters, so that “${fit(key)}” fits beside it.`,
    );
  }
  const companionType = fieldTypes.get(type);
  if (!companionType) throw new TypeError(`no field type ${type}`);
  if (type === 'currency') field.currencyField = key;
  field.companions = [...field.companions, key];
  const search = companion.searched === true ? document.search : undefined;
  return {
    ...draftField(
      context,
      {
        ...companion.options,
        key,
        type,
        label: `${field.label} ${label}`,
        required: companion.required === 'always' || (companion.required === 'with' && field.required),
        ...(companion.default === 'currency' ? { default: draft.settings.currency } : {}),
        ...(search === undefined ? {} : { search }),
      },
      companionType,
    ),
    companionOf: field.key,
  };
}

function draftField({ draft, entity }: FieldContext, document: FieldDocument, type: FieldType): DraftField {
  const { key } = document;
  const options = Object.fromEntries(Object.entries(document).filter(([name]) => !COMMON.has(name)));
  return {
    ...bareField(type, key, document.label ?? readable(key)),
    id: draft.identities.fields[`${entity}.${key}`] ?? '',
    help: document.help ?? null,
    required: document.required ?? false,
    // A number that the engine gives is given once.
    unique: document.unique ?? type.key === 'sequence',
    index: document.index ?? false,
    // Where a companion holds the words, search looks there.
    search: type.searchable ? (document.search ?? null) : null,
    default: document.default,
    choices: choicesOf(document),
    options,
  };
}

/** A field of a type that says nothing of itself. */
export function bareField(type: FieldType, key: string, label: string): DraftField {
  return {
    id: '',
    key,
    column: type.valueType === null ? null : key,
    type,
    label,
    help: null,
    required: false,
    unique: false,
    index: false,
    search: null,
    default: undefined,
    fill: null,
    pause: null,
    system: false,
    readOnly: type.readOnly === true,
    reference: null,
    many: null,
    derived: null,
    rollup: null,
    children: null,
    choices: null,
    lifecycle: null,
    guards: null,
    formula: null,
    options: {},
    currencyField: null,
    companions: [],
    companionOf: null,
    flag: null,
  };
}

function choicesOf(document: FieldDocument): Choice[] | null {
  const written = document['choices'];
  if (!Array.isArray(written)) return null;
  return written.map(({ key, label, color }: { key: string; label?: string; color?: string }) => ({
    key,
    label: label ?? readable(key),
    color: color ?? null,
  }));
}

/** Flags that a type cannot bear. */
function checkFlags({ draft, place }: FieldContext, document: FieldDocument, field: DraftField): void {
  const { type } = field;
  const refuse = (flag: string, why: string) =>
    draft.faults.add(place(flag), 'invalid', `A ${type.key} field cannot have “${flag}”: ${why}.`);
  const computed = type.computed === true;
  const keyed = field.column !== null && !computed && type.valueType !== 'texts' && type.keyed !== false;
  // A computed field is required through the companions that it is computed from.
  const carried = type.companions?.some(({ required }) => required === 'with') === true;
  const searched = type.searchable || type.companions?.some((companion) => companion.searched) === true;
  if (document.unique && !keyed) refuse('unique', 'its values cannot be told apart by an index');
  if (document.index && (field.column === null || computed)) refuse('index', 'it has no column of its own');
  else if (document.index && (type.sealed || type.structured || type.attached))
    refuse('index', 'nobody filters or sorts by its values');
  if (document.search && !searched) refuse('search', 'it holds no text to search');
  if (document.required && !carried && (field.column === null || computed)) refuse('required', 'nobody writes it');
  if (field.choices) {
    const seen = new Set<string>();
    field.choices.forEach(({ key }, index) => {
      if (seen.has(key))
        draft.faults.add(place('choices', index, 'key'), 'duplicate', `There are two choices “${key}”.`, {
          found: key,
        });
      seen.add(key);
    });
  }
  const contradiction = type.contradiction?.(field);
  if (contradiction) draft.faults.add(place(contradiction.option), 'invalid', contradiction.message);
  if (document.default !== undefined) checkDefault({ draft, place, entity: '' }, field);
}

function checkDefault({ draft, place }: FieldContext, field: DraftField): void {
  const { type } = field;
  const where = place('default');
  if (field.readOnly || field.column === null || type.valueType === 'uuid' || type.sealed) {
    draft.faults.add(where, 'invalid', `A ${type.key} field cannot have a default.`);
    return;
  }
  const { default: value } = field;
  if (value === undefined) return;
  const context = {
    country: draft.settings.country,
    currency: draft.settings.currency,
    timeZone: draft.settings.timeZone,
  };
  const parsed = type.normalise(value, field, context);
  // The cell's reading also knows the bounds that the API checks by schema.
  const checked = 'value' in parsed && typeof value === 'string' ? type.importCell(value, field, context) : parsed;
  const error = 'error' in parsed ? parsed.error : 'error' in checked ? checked.error : null;
  if (error) draft.faults.add(where, 'invalid', `The default is not valid: ${error.message}`, { found: value });
  else if ('value' in parsed && parsed.value !== null) field.default = parsed.value;
}
