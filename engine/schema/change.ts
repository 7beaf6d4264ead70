/** A change of the schema: SQL with everything a plan tells about it. */
import type { Later } from './deferred/work.ts';

/** Changes run in this order, whatever the order in which they were found. */
export const PHASES = [
  'roles',
  'drop_policies',
  'drop_triggers',
  'revoke',
  'drop_references',
  'drop_checks',
  'drop_indexes',
  'drop_generated',
  'rename_tables',
  'set_aside',
  'rename_aside',
  'rename',
  'sequences',
  'create',
  'add_columns',
  'alter_columns',
  'add_generated',
  // Filling writes rows: by then triggers and policies are those of the release.
  'functions',
  'add_triggers',
  'add_policies',
  'convert',
  'fill',
  'not_null',
  'add_checks',
  'add_indexes',
  'add_references',
  'grant',
  'drop_functions',
  'drop_roles',
] as const;
export type Phase = (typeof PHASES)[number];

export type ChangeKind =
  | 'create_role'
  | 'change_role'
  | 'drop_role'
  | 'create_table'
  | 'divide_table'
  | 'change_retention'
  | 'rename_table'
  | 'set_table_aside'
  | 'return_table'
  | 'add_column'
  | 'rename_column'
  | 'set_column_aside'
  | 'return_column'
  | 'change_type'
  | 'change_required'
  | 'change_default'
  | 'change_formula'
  | 'change_checks'
  | 'change_indexes'
  | 'change_reference'
  | 'change_sequence'
  | 'change_rules'
  | 'change_access';

/** What the rest of the tenant has to wait for: `share` lets reads through, `exclusive` nothing. */
export type Lock = 'none' | 'share' | 'exclusive';
export type Risk = 'none' | 'low' | 'medium' | 'high';

/** What has to be true of the rows before a change may run. Its SQL sees the names from before the publish. */
export interface Check {
  /** One row with one integer: how many rows (or groups of them) are in the way. */
  readonly sql: string;
  readonly code:
    | 'values_missing'
    | 'values_not_allowed'
    | 'values_not_unique'
    | 'values_dangling'
    | 'values_lost'
    | 'records_there';
  /** A sentence with `{count}` in it. */
  readonly message: string;
  /** Qualified entity and field key, from which the pointer into the document is found. */
  readonly entity: string;
  readonly field: string | null;
  /** Property of the field's document that asks for it. */
  readonly property: string | null;
}

export interface Change {
  readonly kind: ChangeKind;
  readonly phase: Phase;
  /** Table id; `null` for roles. */
  readonly table: string | null;
  /** A sentence. Changes of one table with the same title are one step of the plan. */
  readonly title: string;
  readonly why: string;
  readonly sql: readonly string[];
  readonly lock: Lock;
  /** What it does with every row of the table. */
  readonly work: 'none' | 'scan' | 'write';
  readonly risk: Risk;
  readonly reversible: boolean;
  readonly checks: readonly Check[];
  /** How it is done where the table has many records; `null` when it is the same there. */
  readonly later: Later | null;
  /** Column id: its values are made from another column's, by the field types and not by SQL. */
  readonly convert: string | null;
}

/** Fills in what most changes have: a short exclusive lock, no work on rows, no risk, reversible. */
export function change(
  parts: Pick<Change, 'kind' | 'phase' | 'table' | 'title' | 'why' | 'sql'> & Partial<Change>,
): Change {
  return {
    lock: 'exclusive',
    work: 'none',
    risk: 'none',
    reversible: true,
    checks: [],
    later: null,
    convert: null,
    ...parts,
  };
}

/** In the order in which they must run; changes of one phase stay in the order in which they were found. */
export function inOrder(changes: readonly Change[]): readonly Change[] {
  const position = new Map<Phase, number>(PHASES.map((phase, index) => [phase, index]));
  return [...changes].sort((a, b) => (position.get(a.phase) ?? 0) - (position.get(b.phase) ?? 0));
}
