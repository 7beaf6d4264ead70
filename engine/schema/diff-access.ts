/** Changes of who may do what (grants, policies), of triggers and their functions, and of roles. */
import { qualified, quote } from '../db/identifiers.ts';
import { change, type Change } from './change.ts';
import { columnNames, createPolicy, createRole, createSequence, tableName } from './ddl.ts';
import { compare } from './diff-constraints.ts';
import { remadeColumns } from './diff-columns.ts';
import { isRetyped } from './diff-rollups.ts';
import { fieldOf } from './names.ts';
import type { DesiredState, GrantState, PolicyState, TablePair, TableState } from './state.ts';

/**
 * @param touched quoted names of columns that are dropped or change their type: a policy that looks at one of them
 *   stands in the way and is made again
 */
export function diffPolicies({ previous, next, before, after }: TablePair, touched: readonly string[]): Change[] {
  const inTheWay = (policy: PolicyState) =>
    touched.some((name) => policy.using?.includes(name) || policy.check?.includes(name));
  const { gone, come } = compare(before.policies, after.policies);
  const remade = Object.entries(before.policies).filter(
    ([name, policy]) => !gone.some(([other]) => other === name) && inTheWay(policy),
  );
  const again = remade.flatMap(([name]) => {
    const policy = after.policies[name];
    return policy ? [[name, policy] as const] : [];
  });
  const base = {
    kind: 'change_access',
    table: after.id,
    title: accessTitle(before, after),
    why: 'Permissions changed, or fields they depend on.',
  } as const;
  const kept = { ...base, ...keeping(before, after) };
  const drop = (told: typeof base | typeof kept, name: string): Change =>
    change({ ...told, phase: 'drop_policies', sql: [`drop policy ${quote(name)} on ${tableName(previous, before)}`] });
  const add = (told: typeof base | typeof kept, name: string, policy: PolicyState): Change =>
    change({ ...told, phase: 'add_policies', sql: [createPolicy(next, after, name, policy)] });
  return [
    ...gone.map(([name]) => drop(base, name)),
    ...remade.map(([name]) => drop(kept, name)),
    ...come.map(([name, policy]) => add(base, name, policy)),
    ...again.map(([name, policy]) => add(kept, name, policy)),
  ];
}

/** What is said of rights that stay, and have to be given again because a column is another one. */
const keeping = (before: TableState, after: TableState) =>
  before.aside || after.aside
    ? {}
    : {
        title: `Keep who may see and change ${after.label}`,
        why: 'A field that the permissions look at is stored anew. Nobody may do more or less than before.',
      };

const accessTitle = (before: TableState, after: TableState): string =>
  after.aside
    ? `Remove ${before.label}`
    : before.aside
      ? `Bring back ${after.label}`
      : `Change who may see and change ${after.label}`;

const NONE: GrantState = { select: [], insert: [], update: [], delete: false };

export function diffGrants(pair: TablePair): Change[] {
  const { previous, next, before, after } = pair;
  const remade = remadeColumns(pair);
  const from: string[] = [];
  const to: string[] = [];
  const over: string[] = [];
  const again: string[] = [];
  for (const role of new Set([...Object.keys(before.grants), ...Object.keys(after.grants)])) {
    const old = before.grants[role] ?? NONE;
    const now = after.grants[role] ?? NONE;
    const revoke = (privilege: string) =>
      from.push(`revoke ${privilege} on ${tableName(previous, before)} from ${quote(role)}`);
    const grant = (privilege: string) => to.push(`grant ${privilege} on ${tableName(next, after)} to ${quote(role)}`);
    if (old.delete && !now.delete) revoke('delete');
    if (now.delete && !old.delete) grant('delete');
    for (const privilege of ['select', 'insert', 'update'] as const) {
      const had = old[privilege];
      const has = now[privilege];
      if (typeof had === 'string' || typeof has === 'string') {
        if (had === has) continue;
        // Revoking it on the table revokes it on every column as well.
        if (had.length > 0) revoke(privilege);
        if (typeof has === 'string') grant(privilege);
        else if (has.length > 0) grant(`${privilege} (${columnNames(after, has)})`);
        continue;
      }
      const lost = had.filter((id) => !has.includes(id) && before.columns[id]);
      // Of a field whose type changes, the column of before has another id.
      const fields = new Set(had.map(fieldOf));
      const replaces = (id: string): boolean => pair.converted.has(id) || isRetyped(pair, id);
      const keeps = (id: string): boolean => had.includes(id) || (replaces(id) && fields.has(fieldOf(id)));
      const won = has.filter((id) => !keeps(id));
      const anew = has.filter((id) => keeps(id) && (remade.has(id) || replaces(id)));
      const replaced = lost.filter((id) => anew.includes(fieldOf(id)));
      const taken = lost.filter((id) => !replaced.includes(id));
      if (replaced.length > 0)
        over.push(
          `revoke ${privilege} (${columnNames(before, replaced)}) on ${tableName(previous, before)} from ${quote(role)}`,
        );
      if (taken.length > 0) revoke(`${privilege} (${columnNames(before, taken)})`);
      if (won.length > 0) grant(`${privilege} (${columnNames(after, won)})`);
      if (anew.length > 0)
        again.push(`grant ${privilege} (${columnNames(after, anew)}) on ${tableName(next, after)} to ${quote(role)}`);
    }
  }
  const base = {
    kind: 'change_access',
    table: after.id,
    title: accessTitle(before, after),
    why: 'Permissions changed, or fields they depend on.',
  } as const;
  const kept = { ...base, ...keeping(before, after) };
  return [
    ...(from.length > 0 ? [change({ ...base, phase: 'revoke', sql: from, lock: 'none' })] : []),
    ...(to.length > 0 ? [change({ ...base, phase: 'grant', sql: to, lock: 'none' })] : []),
    ...(over.length > 0 ? [change({ ...kept, phase: 'revoke', sql: over, lock: 'none' })] : []),
    ...(again.length > 0 ? [change({ ...kept, phase: 'grant', sql: again, lock: 'none' })] : []),
  ];
}

export function diffTriggers({ previous, next, before, after }: TablePair): Change[] {
  const { gone, come } = compare(nameless(previous, before), nameless(next, after));
  const base = {
    kind: 'change_rules',
    table: after.id,
    title: after.aside
      ? `Remove ${before.label}`
      : before.aside
        ? `Bring back ${after.label}`
        : `Change what is checked and kept when ${after.label} is written`,
    why: 'Triggers belong to tables in use.',
  } as const;
  return [
    ...gone.map(([name]) =>
      change({
        ...base,
        phase: 'drop_triggers',
        sql: [`drop trigger ${quote(name)} on ${tableName(previous, before)}`],
      }),
    ),
    ...come.map(([name]) =>
      change({ ...base, phase: 'add_triggers', sql: [after.triggers[name] ?? ''], lock: 'share' }),
    ),
  ];
}

/** The text of a trigger names its table; Postgres follows a rename by itself. */
function nameless(state: DesiredState, table: TableState): Record<string, string> {
  const name = tableName(state, table);
  return Object.fromEntries(
    Object.entries(table.triggers).map(([trigger, sql]) => [trigger, sql.replaceAll(name, '{}')]),
  );
}

export function diffRoles(previous: DesiredState, next: DesiredState): Change[] {
  const changes: Change[] = [];
  const schema = quote(next.schema);
  for (const [name, role] of Object.entries(next.roles)) {
    const before = previous.roles[name];
    const title = before ? `Change what role ${role.label} inherits` : `Add role ${role.label}`;
    const base = { phase: 'roles', table: null, title, lock: 'none' } as const;
    if (!before) {
      changes.push(
        change({
          ...base,
          kind: 'create_role',
          why: 'The release has it.',
          sql: [...createRole(name), `grant usage on schema ${schema} to ${quote(name)}`],
        }),
      );
    }
    const lost = (before?.inherits ?? []).filter((parent) => !role.inherits.includes(parent) && next.roles[parent]);
    const won = role.inherits.filter((parent) => !before?.inherits.includes(parent));
    const sql = [
      ...lost.map((parent) => `revoke ${quote(parent)} from ${quote(name)}`),
      ...won.map((parent) => `grant ${quote(parent)} to ${quote(name)} with inherit true, set false`),
    ];
    // After all roles are there.
    if (sql.length > 0)
      changes.push(
        change({
          ...base,
          kind: 'change_role',
          phase: 'sequences',
          why: 'It has the rights of the roles it inherits.',
          sql,
        }),
      );
  }
  for (const [name, role] of Object.entries(previous.roles)) {
    if (next.roles[name]) continue;
    changes.push(
      change({
        kind: 'drop_role',
        phase: 'drop_roles',
        table: null,
        title: `Remove role ${role.label}`,
        why: 'The release no longer has it. People who had only this role may do nothing.',
        sql: [`revoke usage on schema ${schema} from ${quote(name)}`, `drop role ${quote(name)}`],
        lock: 'none',
        risk: 'medium',
      }),
    );
  }
  return changes;
}

export function diffSequences(previous: DesiredState, next: DesiredState): Change[] {
  const changes: Change[] = [];
  for (const [id, sequence] of Object.entries(next.sequences)) {
    const before = previous.sequences[id];
    const table = Object.values(next.tables).find((one) => one.columns[id]);
    const name = qualified(next.schema, sequence.name);
    const base = {
      kind: 'change_sequence',
      table: table?.id ?? null,
      title: before ? `Change who numbers ${table?.label ?? 'records'}` : `Number ${table?.label ?? 'records'}`,
      why: 'Whoever creates a record draws its number.',
      lock: 'none',
    } as const;
    if (!before) changes.push(change({ ...base, phase: 'sequences', sql: [createSequence(next, sequence)] }));
    const lost = (before?.users ?? []).filter((user) => !sequence.users.includes(user));
    const won = sequence.users.filter((user) => !before?.users.includes(user));
    if (lost.length > 0)
      changes.push(
        change({
          ...base,
          phase: 'revoke',
          sql: [`revoke usage on sequence ${name} from ${lost.map(quote).join(', ')}`],
        }),
      );
    if (won.length > 0)
      changes.push(
        change({ ...base, phase: 'grant', sql: [`grant usage on sequence ${name} to ${won.map(quote).join(', ')}`] }),
      );
  }
  return changes;
}
