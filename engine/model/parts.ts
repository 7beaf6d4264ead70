/** The parts of a model that stand beside its entities: rules, flags, settings, sequences, templates. */
import type { Condition } from '../condition/condition.ts';
import type { TemplateText } from './template-text.ts';

export interface Rule {
  /** `r_` and 12 hexadecimal digits: how the database names it when a record does not keep it. */
  readonly id: string;
  /** Qualified name, `crm.big_deals_need_a_reason`. */
  readonly name: string;
  readonly label: string;
  /** Qualified entity name. */
  readonly entity: string;
  /** Holds for the records that do not keep the rule. */
  readonly broken: Condition;
  readonly message: string;
  /** Key of the field beside which the message stands. */
  readonly field: string | null;
  readonly severity: 'error' | 'warning';
  /** Qualified name of the flag without which it is not applied. */
  readonly flag: string | null;
}

export interface Flag {
  /** Qualified name, `crm.feature_forecast`. */
  readonly name: string;
  readonly label: string;
  readonly description: string | null;
  /** As long as nobody has switched it. */
  readonly on: boolean;
  /** Role keys, those that inherit one of the document's among them; `null` for everybody. */
  readonly roles: readonly string[] | null;
  /** Of a hundred people; `null` for all. */
  readonly percent: number | null;
  /** Milliseconds since the Unix epoch. */
  readonly from: number | null;
  readonly until: number | null;
}

export interface Setting {
  /** Qualified name, `crm.fiscal_year_start`. */
  readonly name: string;
  readonly label: string;
  readonly help: string | null;
  readonly scope: 'tenant' | 'user';
  readonly secret: boolean;
  /** `undefined` when it has none. */
  readonly default: unknown;
  /** JSON Schema of a value. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Sequence {
  /** Qualified name, `crm.invoice_number`. */
  readonly name: string;
  readonly label: string;
  readonly prefix: string;
  readonly digits: number;
  readonly start: number;
  readonly gapless: boolean;
}

export interface Metric {
  /** Qualified name, `crm.big_deals`. */
  readonly name: string;
  readonly label: string;
  readonly entity: string;
  /** As the read grammar has it, `sum(amount)`. */
  readonly aggregate: string;
  /** As written. */
  readonly filter: unknown;
  readonly group: readonly string[];
  /** Keys of the fields in aggregate and group. */
  readonly fields: readonly string[];
  readonly format: 'number' | 'money' | 'percent';
  /** Flag that must be on for it to exist for somebody. */
  readonly flag: string | null;
}

export interface Template {
  /** Qualified name, `crm.welcome`. */
  readonly name: string;
  readonly key: string;
  readonly label: string;
  readonly entity: string;
  readonly use: 'email' | 'document';
  readonly format: 'text' | 'html';
  /** By locale; `''` is the document's own text. */
  readonly variants: ReadonlyMap<string, { readonly subject: TemplateText | null; readonly body: TemplateText }>;
  readonly flag: string | null;
}
