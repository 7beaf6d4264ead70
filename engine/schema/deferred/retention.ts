/** When what was set aside may go: listing it, and asking for its purge. */
import type { ClientBase } from 'pg';
import type { Tenant } from '../../model/tenant.ts';
import { tableName } from '../ddl.ts';
import type { DesiredState } from '../state.ts';
import { purged } from './purge.ts';
import { addSteps } from './store.ts';

export interface SetAside {
  /** Id of the entity (or its history) or of the field. */
  readonly id: string;
  /** What it was called when it was set aside. */
  readonly original: string;
  /** A column; otherwise a whole table. */
  readonly column: boolean;
  /** The release that removed it. */
  readonly release: number;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** Oldest first. @param days set aside at least so many days ago */
export async function listSetAside(client: ClientBase, tenant: Tenant, days: number): Promise<readonly SetAside[]> {
  const { rows } = await client.query<SetAside>(
    `select id, original, column_name is not null as column, release, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
     from armature.set_aside where tenant_id = $1 and set_aside.at <= now() - make_interval(days => $2) order by set_aside.at, id`,
    [tenant.id, days],
  );
  return rows;
}

/** Asks for the purge of what is not asked for yet. @returns how many steps that makes */
export async function askForPurge(
  client: ClientBase,
  tenant: Tenant,
  release: number,
  state: DesiredState,
  days: number,
): Promise<number> {
  const due = await listSetAside(client, tenant, days);
  const { rows: asked } = await client.query<{ id: string }>(
    `select coalesce(work ->> 'column', work ->> 'table') as id from armature.schema_step
     where tenant_id = $1 and kind = 'purge' and state in ('waiting', 'running', 'failed')`,
    [tenant.id],
  );
  const known = new Set(asked.map(({ id }) => id));
  const drafts = due.flatMap(({ id, original, column }) => {
    const table = column ? Object.values(state.tables).find((one) => one.columns[id]) : state.tables[id];
    // Columns of a table that goes as a whole go with it.
    if (!table || known.has(id) || (column && table.aside && due.some((one) => one.id === table.id))) return [];
    const work = { kind: 'purge', table: table.id, column: column ? id : null } as const;
    return [
      {
        work,
        title: column ? `Purge the removed field ${original} of ${table.label}` : `Purge the removed ${table.label}`,
        why: `It was set aside at least ${days} days ago. After this, no rollback brings its values back.`,
        change: 'set_column_aside' as const,
        sql: column || table.aside ? purged(state, work).sql : [`drop table ${tableName(state, table)}`],
        total: 0,
      },
    ];
  });
  await addSteps(client, tenant, release, drafts);
  return drafts.length;
}

/** Keys of the organisations that have something set aside at least so many days ago. */
export async function tenantsWithSetAside(client: ClientBase, days: number): Promise<readonly string[]> {
  const { rows } = await client.query<{ key: string }>(
    `select distinct t.key from armature.set_aside s join armature.tenant t on t.id = s.tenant_id where s.at <= now() - make_interval(days => $1)`,
    [days],
  );
  return rows.map(({ key }) => key);
}
