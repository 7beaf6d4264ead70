/** What a field type is: one object that brings everything the product needs to know about it. */
import type { Field } from './model.ts';
import type { Operator, Value, ValueType } from './value-type.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** One physical column. `sql` parts are trusted: they come from field types, never from documents, except through `db/identifiers.ts`. */
export interface ColumnSpec {
  /** Column name, already a valid key. */
  readonly name: string;
  /** Postgres type, e.g. `numeric(19,2)`. */
  readonly type: string;
  /** CHECK expressions by suffix of the constraint's name; the column is quoted where `{}` stands. */
  readonly checks?: readonly { readonly suffix: string; readonly sql: string }[];
  /**
   * Expression of a VIRTUAL generated column over other fields of the record: `{}` stands for the quoted key of the field,
   * `{_city}` for its companion's, `{<}` for the field it is a companion of. Formulas say `computed` instead.
   */
  readonly generated?: string;
  /** The column is generated from the field's formula. */
  readonly computed?: true;
  /** Literal SQL default. */
  readonly default?: string;
  /** The default is the next number of a sequence of its own: `prefix` and the number, filled up with zeros to `digits`. */
  readonly sequence?: {
    readonly prefix: string;
    readonly digits: number;
    readonly start: number;
    /** Drawn from a counter that waits for the transaction before it, instead of from a sequence of Postgres. */
    readonly gapless?: boolean;
  };
  readonly collation?: string;
}

/** A value that is not valid: code and sentence, without a pointer (the caller knows where it stood). */
export interface ValueError {
  readonly code: string;
  readonly message: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** `also`: values of further fields that a cell of a file determines, by key (the currency in `USD 1,200.50`). */
export type Parsed =
  | { readonly value: Value; readonly also?: Readonly<Record<string, Value>> }
  | { readonly error: ValueError };

/** What somebody calls a choice of a field in their language. */
export type ChoiceLabel = (field: Field, choice: { readonly key: string; readonly label: string }) => string;

/** What the import and the write path know of the surroundings of a value. */
export interface ValueContext {
  /** ISO 3166-1 alpha-2 country of the organisation, for phone numbers without a country code. */
  readonly country: string;
  /** ISO 4217 code of the organisation's currency. */
  readonly currency: string;
  /** IANA time zone of the user, for date-times without an offset in files. */
  readonly timeZone: string;
  /** How dates such as 3/4/2026 are meant in a file; without it they are refused as ambiguous. */
  readonly dateOrder?: 'dmy' | 'mdy';
  /** What separates decimals in the numbers of a file; without it `1,234` is a thousand and `1,23` is refused as ambiguous. */
  readonly decimalMark?: '.' | ',';
  /** Of whoever imports: what they call a choice stands in their files. */
  readonly choiceLabel?: ChoiceLabel;
}

/** A field that comes with another one. */
export interface Companion {
  /** What its key has after that of the field it comes with, e.g. `_currency`. */
  readonly suffix: string;
  /** Key of its type. */
  readonly type: string;
  /** What its label has after that of the field it comes with. */
  readonly label: string;
  /** Options as a document of its type would have them. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** `always`; `with`: when the field it comes with is required. */
  readonly required?: 'always' | 'with';
  /** The organisation's currency is its default. */
  readonly default?: 'currency';
  /** It is what text search looks into when the document says `search` of the field it comes with. */
  readonly searched?: true;
}

export interface FieldType {
  readonly key: string;
  /** JSON Schema of the properties a field document of this type may carry besides the common ones (`max`, `options`, `to`, …). */
  readonly options: JsonSchema;
  /** What the options of a field say that cannot be together, which JSON Schema does not see. */
  contradiction?(field: Field): { readonly option: string; readonly message: string } | null;
  /** How values of it compare, filter and compute. `null` for types that hold no value of their own (children). */
  readonly valueType: ValueType | null;
  /**
   * Fields that every field of this type brings along: the currency beside an amount, the parts of an address. They are
   * fields like any other, with columns, rights and properties of their own (ADR 0006), and leave with it.
   */
  readonly companions?: readonly Companion[];
  /** Documents do not name it: only the engine and other types make fields of it. */
  readonly internal?: true;
  /** Clients never write it, or only at creation. */
  readonly readOnly?: true;
  /** The database computes it from other fields of the record: no default, no index, no key, no history of its own. */
  readonly computed?: true;
  /** Its values cannot be told apart by an index, so no key is made of them. Lists are never. */
  readonly keyed?: false;
  /** The database holds its values sealed (`engine/vault.ts`): no default, and nothing is computed from it. */
  readonly sealed?: true;
  /** Its values are ids of uploaded files (`engine/files`), which the database ties to the record. */
  readonly attached?: 'file' | 'image';
  /**
   * One value is written in several ways (`A@B.example`, `030 123456`) and stored in one: what a filter compares whole
   * values with is normalised as they are.
   */
  readonly canonical?: true;
  /** Its values are any JSON: `normalise` gets and gives their text, the column is `jsonb`. */
  readonly structured?: true;
  /** The columns it is stored in; the first is the field's own (named as the field's key). Empty for children. */
  columns(field: Field): readonly ColumnSpec[];
  /** JSON Schema of a value a client may send (without null; the write path adds it for optional fields). `null`: clients never write it. */
  inputSchema(field: Field): JsonSchema | null;
  /** JSON Schema of the value as the API answers it (without null). */
  outputSchema(field: Field): JsonSchema;
  /** From a schema-valid JSON value to the value that is stored (trimmed, E.164, lower-cased, …). Text that is empty after trimming becomes null, or an error when the field is required. */
  normalise(value: Value, field: Field, context: ValueContext): Parsed;
  /** SQL expression of the JSON value, given the quoted column, e.g. `x."amount"::text`: decimals and 64-bit integers leave as strings. */
  select(column: string, field: Field): string;
  readonly operators: readonly Operator[];
  readonly sortable: boolean;
  readonly groupable: boolean;
  readonly aggregates: readonly ('sum' | 'avg' | 'min' | 'max')[];
  /** Whether text search (`$search`, lookups) looks into it. */
  readonly searchable: boolean;
  /** Name of the widget that edits it (`runtime-ui/widgets`). */
  widget(field: Field): string;
  /** From a cell of a file. The cell is trimmed and not empty. References come as text and are resolved by the import. */
  importCell(cell: string, field: Field, context: ValueContext): Parsed;
  /** As people read it, in a line of text or a cell. */
  exportCell(value: Value, field: Field): string;
  /**
   * To a cell of an exported file, which {@link importCell} reads back as the same value; {@link exportCell} when left out.
   * @param label what choices are called in the file; `null` for their keys
   */
  fileCell?(value: Value, field: Field, label: ChoiceLabel | null): string;
}

/** Whether something, e.g. what a plugin's module exports, is a field type. */
export function isFieldType(value: unknown): value is FieldType {
  if (typeof value !== 'object' || value === null) return false;
  const type: Partial<Record<keyof FieldType, unknown>> = value;
  return (
    typeof type.key === 'string' &&
    /^[a-z][a-z0-9_]{0,39}$/.test(type.key) &&
    typeof type.options === 'object' &&
    Array.isArray(type.operators) &&
    METHODS.every((method) => typeof type[method] === 'function')
  );
}

const METHODS = [
  'columns',
  'inputSchema',
  'outputSchema',
  'normalise',
  'select',
  'widget',
  'importCell',
  'exportCell',
] as const satisfies readonly (keyof FieldType)[];

/** Whether documents may name the type. */
export function documented(type: FieldType): boolean {
  return type.internal !== true;
}
