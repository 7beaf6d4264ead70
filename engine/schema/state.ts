/**
 * What exists in a tenant's schema, as plain data: the desired state that a Model asks for, and the state that the last
 * publish left behind (with what it set aside). It survives JSON, and everything in it is found by an immutable id.
 *
 * What is costly to make anew (columns, constraints, indexes) refers to columns and tables by id, so that a rename
 * changes nothing about it. What is cheap (policies, functions, triggers) is kept as finished SQL.
 */

/** Raised when the shape below changes; a stored state of an older format has to be brought up then. */
export const STATE_FORMAT = 1;

export interface DesiredState {
  readonly format: typeof STATE_FORMAT;
  /** The tenant's schema, not quoted. */
  readonly schema: string;
  /** By database role name. */
  readonly roles: Readonly<Record<string, RoleState>>;
  /** By the id of the column whose default they are. */
  readonly sequences: Readonly<Record<string, SequenceState>>;
  /** By name: the complete `create or replace function`. */
  readonly functions: Readonly<Record<string, string>>;
  /** By function name: database roles that may call it. Trigger functions have none. Absent in states of earlier engines. */
  readonly callers?: Readonly<Record<string, readonly string[]>>;
  /** By table id: the entity's id, `h_` and the entity's id for its history, `l_` and the field's id for links. */
  readonly tables: Readonly<Record<string, TableState>>;
}

/** A function that people's roles call. */
export interface FunctionState {
  /** The complete `create or replace function`. */
  readonly sql: string;
  /** Database roles, sorted. */
  readonly users: readonly string[];
}

export interface RoleState {
  /** Role key; `null` for the service principals. */
  readonly key: string | null;
  readonly label: string;
  /** Database roles whose rights it inherits. */
  readonly inherits: readonly string[];
}

export interface SequenceState {
  readonly name: string;
  readonly start: number;
  /** Database roles that may draw from it. */
  readonly users: readonly string[];
}

export interface TableState {
  readonly id: string;
  readonly name: string;
  /** What people call it, for the sentences of a plan. */
  readonly label: string;
  /** Where its document stands, e.g. `crm.account`. */
  readonly entity: string;
  readonly history: boolean;
  /** Its rows are links, which go with the records at their ends. */
  readonly links?: true;
  /** Renamed out of the way by a publish that removed it. */
  readonly aside: boolean;
  /** By column id. */
  readonly columns: Readonly<Record<string, ColumnState>>;
  /** Divided by month of this column; absent for a table in one piece. Its partitions are no part of the state. */
  readonly partition?: { readonly column: string; readonly keep: number | null };
  readonly primaryKey: { readonly name: string; readonly column: string };
  /** By constraint name. `{}` in the SQL stands for the quoted column. */
  readonly checks: Readonly<Record<string, { readonly column: string; readonly sql: string }>>;
  /** By constraint name. */
  readonly references: Readonly<Record<string, ReferenceState>>;
  /** By index name. */
  readonly indexes: Readonly<Record<string, IndexState>>;
  /** By name: the complete `create trigger`. */
  readonly triggers: Readonly<Record<string, string>>;
  /** By policy name. */
  readonly policies: Readonly<Record<string, PolicyState>>;
  /** By database role name. */
  readonly grants: Readonly<Record<string, GrantState>>;
}

export interface ColumnState {
  readonly name: string;
  readonly type: string;
  readonly collation: string | null;
  readonly notNull: boolean;
  /** SQL of the default. */
  readonly default: string | null;
  /** Expression of a VIRTUAL generated column. */
  readonly generated: string | null;
  /** Name of the sequence of an identity column. */
  readonly identity: string | null;
  readonly aside: boolean;
  /**
   * Kept over the parts of the record: what it is, by ids; the id of the parts' table; and the statement that computes it
   * for the records `w` of which the condition in the place of `{}` holds.
   */
  readonly rollup?: { readonly definition: string; readonly part: string; readonly fill: string };
  readonly label: string;
  /** Field key, for pointers into the document; `null` for columns of the engine. */
  readonly field: string | null;
}

export interface ReferenceState {
  readonly column: string;
  /** Table id. */
  readonly table: string;
  readonly onDelete: 'restrict' | 'clear' | 'cascade';
}

export interface IndexState {
  /** Column ids. */
  readonly columns: readonly string[];
  /** What is indexed of the one column, where it is not its value: SQL, with `{}` for the quoted column. */
  readonly expression?: string;
  readonly unique: boolean;
  readonly method: 'btree' | 'gin';
  /** Id of the column that must be null for a row to count (the time of a soft delete). */
  readonly whereNull: string | null;
  /** Of trigrams of the columns' folded texts. */
  readonly folded?: true;
  /** By column id: the expressions of those that are virtual, and stand in the index in their place. */
  readonly computed?: Readonly<Record<string, string>>;
}

export interface PolicyState {
  /** Database role. */
  readonly role: string;
  readonly command: 'select' | 'insert' | 'update' | 'delete' | 'all';
  readonly using: string | null;
  readonly check: string | null;
}

/** Columns by id; `all` is the whole table, columns to come included. */
export interface GrantState {
  readonly select: 'all' | readonly string[];
  readonly insert: readonly string[];
  readonly update: readonly string[];
  readonly delete: boolean;
}

/** A table that is there before and after, with the states it stands in. */
export interface TablePair {
  readonly previous: DesiredState;
  readonly next: DesiredState;
  readonly before: TableState;
  readonly after: TableState;
  /** Columns that get their values from the one that had another type: `before` knows that one under its shape's id. */
  readonly converted: Conversions;
}

/**
 * By column id: `ahead` where the values were made ready before the publish, `within` where it makes them itself.
 * `spent`: name of the column set aside whose values are in those that were made ready.
 */
export type Conversions = ReadonlyMap<string, { readonly ahead: boolean; readonly spent: string | null }>;

/** The state of a tenant that has nothing yet. */
export function emptyState(schema: string): DesiredState {
  return { format: STATE_FORMAT, schema, roles: {}, sequences: {}, functions: {}, tables: {} };
}

/** A frozen copy that is the same after a trip through JSON. */
export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
