/**
 * What the screens know: the model as this principal may see it, in the principal's language. Answered by
 * `GET /api/ui/model`. Nothing is in it that the user may not see or do, so the screens need no rules of their own.
 */
import type { JsonSchema } from '../model/field-type.ts';
import type { Operator, ValueType } from '../model/value-type.ts';

export interface UiModel {
  readonly tenant: {
    readonly key: string;
    readonly name: string;
    readonly currency: string;
    readonly timeZone: string;
  };
  readonly release: number;
  readonly user: {
    readonly id: string | null;
    readonly name: string;
    readonly email: string | null;
    readonly roles: readonly string[];
    readonly administrator: boolean;
  };
  readonly locale: string;
  readonly direction: 'ltr' | 'rtl';
  /** Languages the organisation's metadata is translated to. */
  readonly locales: readonly { readonly key: string; readonly label: string }[];
  readonly menus: readonly UiMenu[];
  /** By qualified name; only entities the user may read. */
  readonly entities: Readonly<Record<string, UiEntity>>;
}

export interface UiMenu {
  readonly key: string;
  readonly label: string;
  readonly icon: string | null;
  readonly items: readonly {
    readonly key: string;
    readonly label: string;
    readonly entity: string;
    readonly view: string | null;
    readonly icon: string | null;
  }[];
}

export interface UiEntity {
  readonly name: string;
  /** `/api/crm/v1/opportunities` */
  readonly url: string;
  /** API path, `crm/opportunities`; also the screens' address. */
  readonly path: string;
  readonly label: string;
  readonly pluralLabel: string;
  readonly icon: string | null;
  /** Template of a record's title, `{first_name} {last_name}`; every answer of the API carries it as `_title` when asked by `$select=_title`. */
  readonly title: string;
  /** Part of a parent: has no list of its own. */
  readonly child: boolean;
  /** With any record at all; what holds for one record it answers itself: `_may`. */
  readonly can: {
    readonly create: boolean;
    readonly update: boolean;
    readonly delete: boolean;
    readonly import: boolean;
    readonly export: boolean;
    readonly assign: boolean;
    readonly share: boolean;
    readonly merge: boolean;
    readonly purge: boolean;
  };
  /** Records can be looked for that are probably the same. */
  readonly duplicates: boolean;
  /** Deleted records can be brought back. */
  readonly bin: boolean;
  /** In order; only readable ones. */
  readonly fields: readonly UiField[];
  readonly views: readonly UiView[];
  readonly form: readonly {
    readonly key: string;
    readonly label: string;
    readonly columns: 1 | 2;
    readonly fields: readonly string[];
  }[];
  /** Buttons of the state field, in lifecycle order. The record answers which are possible now: `_actions`. */
  readonly transitions: readonly {
    readonly key: string;
    readonly label: string;
    readonly field: string;
    readonly from: readonly string[];
    readonly to: string;
    readonly requires: readonly string[];
  }[];
  /** Field sets a file can be matched by for upsert. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

export interface UiField {
  readonly key: string;
  readonly label: string;
  readonly help: string | null;
  /** Key of the field type. */
  readonly type: string;
  readonly widget: string;
  readonly valueType: ValueType | null;
  readonly required: boolean;
  readonly system: boolean;
  readonly onCreate: boolean;
  readonly onUpdate: boolean;
  readonly sortable: boolean;
  readonly groupable: boolean;
  readonly operators: readonly Operator[];
  /** What a new record gets where nothing is sent, as an input value; `null` when nothing. */
  readonly default: unknown;
  /** JSON Schema of an input value; `null` when clients never write it. Of a state: where a new record may stand. */
  readonly schema: JsonSchema | null;
  readonly choices: readonly { readonly key: string; readonly label: string; readonly color: string | null }[] | null;
  /** reference, user, team: qualified entity. */
  readonly reference: string | null;
  /** children: qualified child entity and its field pointing back. */
  readonly children: { readonly entity: string; readonly field: string } | null;
  /** A list of other records: their qualified entity, whether they are parts, linked, or refer to this one, and with which field. */
  readonly list: {
    readonly entity: string;
    readonly via: 'children' | 'links' | 'inverse';
    readonly field: string | null;
  } | null;
  /** A reference to one of several entities: those it may point at and the user may read, qualified. */
  readonly targets: readonly string[] | null;
  readonly currencyField: string | null;
  /** Keys of the fields that come with it (the parts of an address) and that the principal may read; one widget edits them all. */
  readonly companions: readonly string[];
  /** Key of the field it comes with. */
  readonly companionOf: string | null;
  readonly scale: number | null;
  /** Whether long numbers are written in groups of three; years and numbers that are names are not. */
  readonly grouping: boolean;
}

export interface UiView {
  readonly key: string;
  readonly label: string;
  readonly columns: readonly { readonly field: string; readonly width: number | null }[];
  /** As `$order` wants it: `-amount,name`. */
  readonly order: string;
  /** Name of the view, to be sent as `$view`; its filter is applied by the server. */
  readonly filtered: boolean;
}
