// Generated from metadata/schema by scripts/generate-types.ts (`npm run generate`). Do not edit.

/**
 * Any metadata document; `kind` tells which.
 */
export type Document =
  | PackDocument
  | EntityDocument
  | RoleDocument
  | PermissionDocument
  | LifecycleDocument
  | ViewDocument
  | FormDocument
  | MenuDocument
  | TranslationDocument
  | RuleDocument
  | FlagDocument
  | SettingDocument
  | SequenceDocument
  | TemplateDocument
  | MetricDocument;
/**
 * Keys of the roles it is shown to; everybody when left out. Showing is not permitting: rights come from permissions.
 *
 * @minItems 1
 *
 * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
 */
export type Roles = string[];

/**
 * What a pack is: `pack.json` at the root of its folder.
 */
export interface PackDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'pack';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * Key of the pack: first part of its entities’ names and of their address (`/api/crm/v1/…`).
   */
  readonly key: string;
  /**
   * Semantic version.
   */
  readonly version: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * One paragraph about what the pack is for.
   */
  readonly description?: string;
  /**
   * Name of an icon, e.g. `building`.
   */
  readonly icon?: string;
  /**
   * Packs that must be there as well. `core` always is.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly requires?: string[];
}
/**
 * A kind of record: becomes a table, an API resource, a list and a form.
 */
export interface EntityDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'entity';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * The immutable identity. `armature export` writes it into what is the organisation's own, so that a key changed in the exported document is a rename; never needed by hand.
   */
  readonly id?: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly was?: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly plural: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly pluralLabel?: string;
  /**
   * Name of an icon, e.g. `building`.
   */
  readonly icon?: string;
  /**
   * How one record is called, with fields in braces: `{first_name} {last_name}`. The first text field when left out.
   */
  readonly title?: string;
  /**
   * Every record belongs to a user: adds the system field `owner`.
   */
  readonly owner?: boolean;
  /**
   * Deleted records are kept and can be restored: adds the system field `deleted_at`.
   */
  readonly softDelete?: boolean;
  /**
   * Every change is kept with who and when.
   */
  readonly history?: boolean;
  /**
   * For records that are many and grow old: the table is divided by month, old months go as a whole.
   */
  readonly partition?: {
    /**
     * The time that decides where a record belongs.
     */
    readonly by: 'created_at';
    /**
     * How long a part is.
     */
    readonly every: 'month';
    /**
     * Months after which records are deleted for good, with all of their month; kept for ever when left out.
     */
    readonly keep?: number;
  };
  /**
   * `required`: a record is changed only by who says which version of it they have read (`If-Match`); others are answered 428.
   */
  readonly concurrency?: 'optional' | 'required';
  /**
   * Single records can be shared with people and teams, to read or to write.
   */
  readonly sharing?: boolean;
  readonly bin?: BinDocument;
  /**
   * Rules by which two records are probably the same.
   *
   * @maxItems 10
   */
  readonly duplicates?: DuplicateRuleDocument[];
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly parent?: string;
  /**
   * The fields, in the order in which they are shown.
   *
   * @maxItems 400
   */
  readonly fields: FieldDocument[];
  /**
   * Combinations of fields that no two records share.
   */
  readonly unique?: string[][];
  /**
   * The flag that must be on for it to exist for whoever asks, in the API and on the screens. It gives no right.
   */
  readonly flag?: string;
}
/**
 * What becomes of deleted records.
 */
export interface BinDocument {
  /**
   * Days after which a deleted record is purged; for good when left out of the document.
   */
  readonly keepDays: number;
}
/**
 * All of its fields are alike.
 */
export interface DuplicateRuleDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * Whether a creation is refused until it is said to be meant, or the form only warns.
   */
  readonly onCreate?: 'warn' | 'refuse';
  /**
   * The fields that are compared.
   *
   * @minItems 1
   * @maxItems 5
   */
  readonly match: DuplicateMatchDocument[];
}
/**
 * One field and how it is compared.
 */
export interface DuplicateMatchDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly field: string;
  /**
   * Equal as stored (of web addresses the host), equal without case, accents and punctuation, or alike.
   */
  readonly how: 'exact' | 'normalised' | 'fuzzy';
  /**
   * For `fuzzy`: how alike, 1 being equal.
   */
  readonly threshold?: number;
  /**
   * Words that say nothing, such as legal forms of companies: lower case, without accents.
   *
   * @maxItems 100
   */
  readonly ignore?: string[];
}
/**
 * A field of an entity. These are the properties that fields of all types have; each type adds its own (see `engine/model/fields`), and a property that neither knows is refused.
 */
export interface FieldDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * The immutable identity. `armature export` writes it into what is the organisation's own, so that a key changed in the exported document is a rename; never needed by hand.
   */
  readonly id?: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly was?: string;
  /**
   * Key of the field type: `text`, `money`, `reference`, …
   */
  readonly type: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * A sentence shown under the input.
   */
  readonly help?: string;
  /**
   * Every record must have a value.
   */
  readonly required?: boolean;
  /**
   * No two records share a value. Records without one do not count.
   */
  readonly unique?: boolean;
  /**
   * People filter or sort by it: keep an index.
   */
  readonly index?: boolean;
  /**
   * Text search looks into it; `A` weighs most.
   */
  readonly search?: 'A' | 'B' | 'C' | 'D';
  /**
   * Value of a new record that names none, as the API would take it.
   */
  readonly default?: string | number | boolean | string[];
  /**
   * The flag that must be on for it to exist for whoever asks. It gives no right.
   */
  readonly flag?: string;
  readonly fill?: FillDocument;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  [k: string]: unknown;
}
/**
 * Where the value comes from when none is given: a field of another record that matches this one. A value that is given stays.
 */
export interface FillDocument {
  /**
   * The entity whose record holds the value.
   */
  readonly from: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly field: string;
  /**
   * Reference over there (or `id`) → what it must be: a reference of this record, or `reference.reference` of a record it refers to. Where one of these is empty, nothing is looked up.
   */
  readonly match: {
    [k: string]: string;
  };
  readonly when?: ConditionDocument;
  /**
   * Which of several counts: the first by these fields over there, `-` for falling; then the one made last.
   *
   * @maxItems 3
   */
  readonly order?: string[];
}
/**
 * What else the record over there must fulfil.
 */
export interface ConditionDocument {
  [k: string]: unknown;
}
/**
 * A role people have. Several packs and the organisation may add to the same role.
 */
export interface RoleDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'role';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What people with this role do.
   */
  readonly description?: string;
  /**
   * Roles whose permissions it has as well.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly inherits?: string[];
  /**
   * Organisation administrator: everything on every entity, metadata and users included.
   */
  readonly administrator?: boolean;
}
/**
 * What a role may do with the records of an entity, and with which of them.
 */
export interface PermissionDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'permission';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key?: string;
  /**
   * The immutable identity. `armature export` writes it into what is the organisation's own, so that a key changed in the exported document is a rename; never needed by hand.
   */
  readonly id?: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly role: string;
  /**
   * The entity.
   */
  readonly entity?: string;
  /**
   * The same as `entity`, as other systems call it.
   */
  readonly resource?: string;
  /**
   * What the role may do.
   *
   * @minItems 1
   */
  readonly actions: ('create' | 'read' | 'update' | 'delete' | 'import' | 'export' | 'assign' | 'share' | 'merge' | 'purge')[];
  /**
   * Which fields, by what is done with them. Every field when left out.
   */
  readonly fields?: {
    readonly read?: FieldSetDocument;
    /**
     * Fields that may be given at creation: either `only` these or all `except` these; every field when left out.
     */
    readonly create?: {
      /**
       * These fields and no others.
       *
       * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
       */
      readonly only?: string[];
      /**
       * All fields but these.
       *
       * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
       */
      readonly except?: string[];
    };
    /**
     * Fields that may be changed: either `only` these or all `except` these; every field when left out.
     */
    readonly update?: {
      /**
       * These fields and no others.
       *
       * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
       */
      readonly only?: string[];
      /**
       * All fields but these.
       *
       * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
       */
      readonly except?: string[];
    };
  };
  /**
   * Steps of the lifecycle it may take; all of them when left out.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly transitions?: string[];
  readonly condition?: ConditionDocument1;
  /**
   * Short form of a condition: `{"owner": "self", "department": "sales", "time_restriction": "business_hours"}`; all of them must hold.
   */
  readonly conditions?: {
    /**
     * The value that the field of the record, or the attribute of the user, must have.
     */
    [k: string]: string | number | boolean;
  };
}
/**
 * Fields that may be read: either `only` these or all `except` these; every field when left out.
 */
export interface FieldSetDocument {
  /**
   * These fields and no others.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly only?: string[];
  /**
   * All fields but these.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly except?: string[];
}
/**
 * Which records: the permission counts only for records that fulfil it.
 */
export interface ConditionDocument1 {
  [k: string]: unknown;
}
/**
 * The states a record goes through and the steps between them; used by fields of type `state`.
 */
export interface LifecycleDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'lifecycle';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly initial: string;
  /**
   * States a record may be created or imported in; only `initial` when left out.
   *
   * @minItems 1
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly createIn?: string[];
  /**
   * The states, in order.
   *
   * @minItems 1
   */
  readonly states: StateDocument[];
  /**
   * The steps, in the order of their buttons.
   */
  readonly transitions?: TransitionDocument[];
}
/**
 * A state.
 */
export interface StateDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * A colour of the design system: `gray`, `blue`, `green`, `yellow`, `orange`, `red`, `violet`, `teal`, …
   */
  readonly color?: string;
  /**
   * What reports and screens group it by.
   */
  readonly category?: 'open' | 'won' | 'lost' | 'done';
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
}
/**
 * A step from one state to another.
 */
export interface TransitionDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * States it starts from.
   *
   * @minItems 1
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly from?: string[];
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly to?: string;
  readonly guard?: ConditionDocument2;
  /**
   * What people read when the guard does not hold.
   */
  readonly guardMessage?: string;
  /**
   * Fields that must have a value afterwards; they may be sent with the step.
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly requires?: string[];
  /**
   * The flag that must be on for it to exist for whoever asks. It gives no right.
   */
  readonly flag?: string;
  /**
   * Values that the step sets: field → value, or `{"now": true}`, `{"today": true}`, `{"user": true}`.
   */
  readonly sets?: {
    /**
     * The value as the API would take it, or one of the three moments.
     */
    [k: string]:
      | string
      | number
      | boolean
      | null
      | {
          /**
           * The time of the step.
           */
          readonly now: true;
        }
      | {
          /**
           * The day of the step.
           */
          readonly today: true;
        }
      | {
          /**
           * The user who takes the step.
           */
          readonly user: true;
        };
  };
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
}
/**
 * Must hold on the record as it will be.
 */
export interface ConditionDocument2 {
  [k: string]: unknown;
}
/**
 * A saved list: which columns, in which order, of which records.
 */
export interface ViewDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'view';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * The entity it lists.
   */
  readonly entity: string;
  /**
   * Fields shown, from left to right.
   *
   * @minItems 1
   *
   * Items: A field, or a field with its width.
   */
  readonly columns: (
    | string
    | {
        /**
         * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
         */
        readonly field: string;
        /**
         * Width in pixels.
         */
        readonly width?: number;
      }
  )[];
  /**
   * Fields it is sorted by; a minus in front for descending.
   *
   * @maxItems 5
   *
   * Items: A field, with `-` in front for descending.
   */
  readonly order?: string[];
  readonly filter?: ConditionDocument3;
  readonly roles?: Roles;
  /**
   * The flag that must be on for whoever is to see it. Hiding is no permission: rights stay as they are.
   */
  readonly flag?: string;
}
/**
 * Which records; all when left out.
 */
export interface ConditionDocument3 {
  [k: string]: unknown;
}
/**
 * How a record’s fields are laid out; one per entity.
 */
export interface FormDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'form';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * The entity.
   */
  readonly entity: string;
  /**
   * The sections, from top to bottom.
   */
  readonly sections: SectionDocument[];
}
/**
 * A group of fields under a heading.
 */
export interface SectionDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * Columns on a wide screen; 2 when left out.
   */
  readonly columns?: 1 | 2;
  /**
   * The fields, in order.
   *
   * @minItems 1
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly fields?: string[];
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * The flag that must be on for whoever is to see it. Hiding is no permission: rights stay as they are.
   */
  readonly flag?: string;
}
/**
 * A part of the navigation.
 */
export interface MenuDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'menu';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * Name of an icon, e.g. `building`.
   */
  readonly icon?: string;
  /**
   * Smaller comes first; 100 when left out.
   */
  readonly order?: number;
  readonly roles?: Roles;
  /**
   * The entries.
   */
  readonly items: MenuItemDocument[];
  /**
   * The flag that must be on for whoever is to see it. Hiding is no permission: rights stay as they are.
   */
  readonly flag?: string;
}
/**
 * An entry that opens a list.
 */
export interface MenuItemDocument {
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  /**
   * The entity it lists.
   */
  readonly entity?: string;
  /**
   * The view it opens; all records when left out.
   */
  readonly view?: string;
  /**
   * Name of an icon, e.g. `building`.
   */
  readonly icon?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * The flag that must be on for whoever is to see it. Hiding is no permission: rights stay as they are.
   */
  readonly flag?: string;
}
/**
 * Texts in another language.
 */
export interface TranslationDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'translation';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * BCP 47 language tag, e.g. `ar` or `de-CH`.
   */
  readonly locale: string;
  /**
   * Text by key: `crm.opportunity`, `crm.opportunity.plural`, `crm.opportunity.amount`, `crm.opportunity.priority.high`, `view:crm.won`, … (see `engine/model/texts.ts`).
   */
  readonly texts: {
    /**
     * The text.
     */
    [k: string]: string;
  };
}
/**
 * A rule that records of an entity must keep, held by the database and told to people before they save.
 */
export interface RuleDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'rule';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * The entity whose records it is about.
   */
  readonly entity: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label?: string;
  readonly when?: ConditionDocument4;
  readonly require?: ConditionDocument5;
  /**
   * Fields that must have a value on these records.
   *
   * @minItems 1
   * @maxItems 50
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly fields?: string[];
  /**
   * What people are told when a record does not keep it, in English.
   */
  readonly message: string;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly field?: string;
  /**
   * `error` (the default) refuses the record; `warning` stores it and says so.
   */
  readonly severity?: 'error' | 'warning';
  /**
   * `false` keeps the rule and does not apply it.
   */
  readonly active?: boolean;
  /**
   * The flag that must be on for whoever writes.
   */
  readonly flag?: string;
}
/**
 * Which records it is about; all when left out.
 */
export interface ConditionDocument4 {
  [k: string]: unknown;
}
/**
 * What must hold of these records.
 */
export interface ConditionDocument5 {
  [k: string]: unknown;
}
/**
 * A switch for a part of the product: who sees it, and from when. It hides, in the API and on the screens; it gives no rights.
 */
export interface FlagDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'flag';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What is switched.
   */
  readonly description?: string;
  /**
   * Whether it is on as long as nobody has switched it; `false` when left out.
   */
  readonly default?: boolean;
  /**
   * Only for people with one of these roles, or one that inherits it.
   *
   * @minItems 1
   *
   * Items: A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly roles?: string[];
  /**
   * Only for so many of a hundred people, always the same ones.
   */
  readonly percent?: number;
  /**
   * From this moment on (UTC).
   */
  readonly from?: string;
  /**
   * Up to and without this moment (UTC).
   */
  readonly until?: string;
}
/**
 * A value that an organisation, or each of its people, can set.
 */
export interface SettingDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'setting';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What it changes.
   */
  readonly help?: string;
  /**
   * `tenant` (the default): one value, set by administrators. `user`: everybody their own.
   */
  readonly scope?: 'tenant' | 'user';
  /**
   * Stored encrypted and never answered again. Its schema is of a text.
   */
  readonly secret?: boolean;
  /**
   * The value as long as nobody has set one.
   */
  readonly default?: {
    [k: string]: unknown;
  };
  readonly schema: SettingSchema;
}
/**
 * What a value must be: the part of JSON Schema that a form can show.
 */
export interface SettingSchema {
  /**
   * The type of the value.
   */
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'array';
  /**
   * The values there are.
   *
   * @minItems 1
   * @maxItems 200
   */
  readonly enum?: unknown[];
  /**
   * Characters at least.
   */
  readonly minLength?: number;
  /**
   * Characters at most.
   */
  readonly maxLength?: number;
  /**
   * A pattern the whole text matches.
   */
  readonly pattern?: string;
  /**
   * Smallest number.
   */
  readonly minimum?: number;
  /**
   * Largest number.
   */
  readonly maximum?: number;
  /**
   * Elements at most.
   */
  readonly maxItems?: number;
  /**
   * What every element of a list is.
   */
  readonly items?: {
    /**
     * The type of an element.
     */
    readonly type: 'string' | 'integer' | 'number' | 'boolean';
    /**
     * A pattern that every text matches.
     */
    readonly pattern?: string;
    /**
     * The values there are.
     *
     * @minItems 1
     * @maxItems 200
     */
    readonly enum?: unknown[];
  };
}
/**
 * Numbers that several fields draw from.
 */
export interface SequenceDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'sequence';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What stands before the number, e.g. `INV-`. In a gapless one `{yyyy}` or `{yy}` is the year, and every year begins anew.
   */
  readonly prefix?: string;
  /**
   * Digits at least, filled up with zeros; 5 when left out.
   */
  readonly digits?: number;
  /**
   * The first number; 1 when left out.
   */
  readonly start?: number;
  /**
   * No number is ever left out: whoever draws one waits for whoever drew the last.
   */
  readonly gapless?: boolean;
}
/**
 * A text made of a record: an e-mail or a document. `{{field.path}}` is a value, `{{#lines}}…{{/lines}}` repeats for every part.
 */
export interface TemplateDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'template';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * The entity whose records it is made of.
   */
  readonly entity: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * What it is for; `email` when left out.
   */
  readonly use?: 'email' | 'document';
  /**
   * `text` (the default), or `html`: values are escaped in it.
   */
  readonly format?: 'text' | 'html';
  /**
   * Subject or title, with placeholders.
   */
  readonly subject?: string;
  /**
   * The text, with placeholders.
   */
  readonly body: string;
  /**
   * The same in other languages, by tag.
   */
  readonly locales?: {
    [k: string]: TemplateVariant;
  };
  /**
   * The flag that must be on for whoever uses it.
   */
  readonly flag?: string;
}
/**
 * Subject and text in one language.
 */
export interface TemplateVariant {
  /**
   * Subject.
   */
  readonly subject?: string;
  /**
   * The text.
   */
  readonly body: string;
}
/**
 * A figure computed over the records that whoever asks may read.
 */
export interface MetricDocument {
  /**
   * Address of this JSON Schema, for editors.
   */
  readonly $schema?: string;
  /**
   * The kind of document.
   */
  readonly kind: 'metric';
  /**
   * In an organisation’s own documents: the pack whose document this one overrides, or `custom` (the default) for one of its own.
   */
  readonly pack?: string;
  /**
   * `true` takes the element or document away that a lower layer brought.
   */
  readonly removed?: boolean;
  /**
   * A key: lower-case letters, digits and underscores, starting with a letter, at most 40 characters. Keys become names in the database and in the API.
   */
  readonly key: string;
  /**
   * What people read, in English; other languages come from translation documents.
   */
  readonly label: string;
  /**
   * The entity whose records are counted.
   */
  readonly entity: string;
  /**
   * What is computed: `count()`, or `sum(amount)` of a field.
   */
  readonly aggregate: string;
  readonly filter?: ConditionDocument6;
  /**
   * The flag that must be on for it to exist for whoever asks. It gives no right.
   */
  readonly flag?: string;
  /**
   * One figure for each value of these: a field, or a date in periods such as `month(created_at)`.
   *
   * @minItems 1
   * @maxItems 4
   */
  readonly group?: string[];
  /**
   * How it is shown; `number` when left out.
   */
  readonly format?: 'number' | 'money' | 'percent';
}
/**
 * Which records; all when left out.
 */
export interface ConditionDocument6 {
  [k: string]: unknown;
}
