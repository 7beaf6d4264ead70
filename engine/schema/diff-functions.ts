/** Changes of a tenant's functions, and of who may call them, told in the words of what they are for. */
import { qualified, quote } from '../db/identifiers.ts';
import { change, type Change } from './change.ts';
import { compare } from './diff-constraints.ts';
import type { DesiredState, TableState } from './state.ts';

export function diffFunctions(previous: DesiredState, next: DesiredState): Change[] {
  const { gone, come } = compare(previous.functions, next.functions);
  return [
    ...come.map(([name, sql]) =>
      change({
        ...told(name, previous, next),
        phase: 'functions',
        sql: [sql, `revoke all on function ${qualified(next.schema, name)} from public`],
        lock: 'none',
      }),
    ),
    ...gone
      .filter(([name]) => next.functions[name] === undefined)
      .map(([name]) =>
        change({
          ...told(name, previous, next),
          phase: 'drop_functions',
          sql: [`drop function ${qualified(previous.schema, name)}`],
          lock: 'none',
        }),
      ),
  ];
}

/** Made anew, a function is called by nobody; one that goes takes its rights with it. */
export function diffCallers(previous: DesiredState, next: DesiredState): Change[] {
  return Object.keys({ ...previous.callers, ...next.callers }).flatMap((name) => {
    if (next.functions[name] === undefined) return [];
    const before = previous.functions[name] === undefined ? [] : (previous.callers?.[name] ?? []);
    const after = next.callers?.[name] ?? [];
    const { table, label } = placeOf(name, previous, next);
    const base = {
      kind: 'change_access',
      table: table?.id ?? null,
      title: `Change who may see and change ${label}`,
      why: 'Permissions changed.',
      lock: 'none',
    } as const;
    const of = `execute on function ${qualified(next.schema, name)}`;
    const lost = before.filter((role) => !after.includes(role));
    const won = after.filter((role) => !before.includes(role));
    return [
      ...(lost.length > 0
        ? [change({ ...base, phase: 'revoke', sql: [`revoke ${of} from ${lost.map(quote).join(', ')}`] })]
        : []),
      ...(won.length > 0
        ? [change({ ...base, phase: 'grant', sql: [`grant ${of} to ${won.map(quote).join(', ')}`] })]
        : []),
    ];
  });
}

interface Place {
  readonly table: TableState | null;
  /** What people call it. */
  readonly label: string;
}

/** Functions are named after the table or the field they are for: `before_<table id>`, `fill_<field id>_…`. */
function placeOf(name: string, previous: DesiredState, next: DesiredState): Place {
  for (const { tables } of [next, previous]) {
    const named = Object.values(tables).filter(({ id }) => name.includes(id));
    // `l_f_…` before what is only a part of it.
    const table = named.toSorted((a, b) => b.id.length - a.id.length)[0];
    if (table) return { table, label: table.label };
    const field = /f_[0-9a-f]{12}/.exec(name)?.[0];
    for (const one of Object.values(tables)) {
      const column = field === undefined ? undefined : one.columns[field];
      if (column) return { table: one, label: `${column.label} of ${one.label}` };
    }
  }
  return { table: null, label: 'records' };
}

function told(
  name: string,
  previous: DesiredState,
  next: DesiredState,
): Pick<Change, 'kind' | 'table' | 'title' | 'why'> {
  const { table, label } = placeOf(name, previous, next);
  const base = { kind: 'change_rules', table: table?.id ?? null } as const;
  const before = table === null ? undefined : previous.tables[table.id];
  const after = table === null ? undefined : next.tables[table.id];
  if (table !== null && (after === undefined || after.aside))
    return { ...base, title: `Remove ${label}`, why: 'Nothing writes its records any more.' };
  if (table !== null && before === undefined)
    return { ...base, title: `Create ${label}`, why: 'The database itself keeps what belongs to its records.' };
  if (before?.aside)
    return { ...base, title: `Bring back ${label}`, why: 'The database itself keeps what belongs to its records.' };
  const [what, why] = PURPOSES.find(([prefix]) => name.startsWith(prefix))?.[1] ?? OTHER;
  return { ...base, title: what.replace('{}', () => label), why };
}

type Purpose = readonly [title: string, why: string];

const OTHER: Purpose = ['Change what may be done with {}', 'Permissions changed, or fields they depend on.'];
const PURPOSES: readonly (readonly [prefix: string, purpose: Purpose])[] = [
  ...['before_', 'after_'].map((prefix): readonly [string, Purpose] => [
    prefix,
    [
      'Change what is checked and kept when {} is written',
      'System fields, steps of the lifecycle, history and outbox are kept by the database itself.',
    ],
  ]),
  ['search_', ['Change how {} is searched', 'Permissions changed, or the fields that are searched.']],
  ['similar_', ['Change what is taken for a duplicate of {}', 'Permissions changed, or the rules of duplicates.']],
  ['minutes_', ['Change how {} is worked out', 'Its business time changed, or a field it is worked out from.']],
  ['fill_', ['Change how {} is worked out', 'What it is filled with changed, or who may see that.']],
];
