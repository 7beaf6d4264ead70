/** Tenants, releases and states in the platform's tables, read and written by the owner's transaction. */
import type { ClientBase, PoolClient } from 'pg';
import { tenantNames } from '../db/identifiers.ts';
import type { Identities, ReleaseSource } from '../model/documents.ts';
import type { BusinessHours, Tenant } from '../model/tenant.ts';
import { notFound } from '../problem.ts';
import { engineMark } from './engine-mark.ts';
import type { Plan } from './plan.ts';
import { fieldOf } from './names.ts';
import type { DesiredState } from './state.ts';

/** Columns of `armature.tenant`, and the installation's prefix, as {@link tenantOf} reads them. */
export const TENANT_COLUMNS = `t.id::text as id, t.key, t.name, t.country, t.currency, t.time_zone, t.locale, t.business_hours::text as business_hours,
  t.release::text as release, (select role_prefix from armature.installation) as role_prefix, t.fiscal_year_start::text as fiscal_year_start`;

export interface TenantRow {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly country: string;
  readonly currency: string;
  readonly time_zone: string;
  readonly locale: string;
  /** JSON text. */
  readonly business_hours: string;
  readonly release: string;
  readonly role_prefix: string;
  readonly fiscal_year_start: string;
}

export function tenantOf(row: TenantRow): Tenant {
  return Object.freeze({
    id: row.id,
    key: row.key,
    name: row.name,
    country: row.country,
    currency: row.currency,
    timeZone: row.time_zone,
    locale: row.locale,
    businessHours: Object.freeze(parseBusinessHours(row.business_hours)),
    fiscalYearStart: Number(row.fiscal_year_start),
    names: tenantNames(row.role_prefix, row.key),
  });
}

/** Written by {@link import('./tenants.ts').createTenant} alone. */
function parseBusinessHours(text: string): BusinessHours {
  return JSON.parse(text);
}

/** @throws Problem `not_found` */
export async function loadTenant(client: PoolClient, key: string): Promise<{ tenant: Tenant; release: number }> {
  const { rows } = await client.query<TenantRow>(`select ${TENANT_COLUMNS} from armature.tenant t where t.key = $1`, [
    key,
  ]);
  const [row] = rows;
  if (!row) throw notFound();
  return { tenant: tenantOf(row), release: Number(row.release) };
}

/** @returns `null` for a release that does not exist, 0 among them */
export async function loadSource(client: PoolClient, tenant: Tenant, number: number): Promise<ReleaseSource | null> {
  const { rows } = await client.query<{ source: ReleaseSource }>(
    'select source from armature.release where tenant_id = $1 and number = $2',
    [tenant.id, number],
  );
  return rows[0]?.source ?? null;
}

/** Identities of the releases that had these entities and fields last, the newest first. */
export async function loadIdentities(
  client: ClientBase,
  tenant: Tenant,
  ids: readonly string[],
): Promise<readonly Identities[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<{ identities: Identities }>(
    `with known as (select number, (source -> 'identities')::jsonb as identities from armature.release where tenant_id = $1),
       last as (select distinct on (i.value) k.number
         from known k, jsonb_each(k.identities) as kinds(kind, names), jsonb_each_text(kinds.names) i
         where kinds.kind in ('entities', 'fields') and i.value = any($2) order by i.value, k.number desc)
     select k.identities from known k where k.number in (select l.number from last l) order by k.number desc`,
    [tenant.id, ids],
  );
  return rows.map(({ identities }) => identities);
}

/** What the last publish left behind; `null` before the first. */
export async function loadState(client: ClientBase, tenant: Pick<Tenant, 'id'>): Promise<DesiredState | null> {
  const { rows } = await client.query<{ state: DesiredState }>(
    'select state from armature.tenant_state where tenant_id = $1',
    [tenant.id],
  );
  return rows[0]?.state ?? null;
}

export interface Release {
  readonly number: number;
  readonly base: number;
  readonly author: string;
  readonly message: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly plan: Plan;
}

export type ReleaseSummary = Omit<Release, 'plan'>;

export interface NewRelease {
  readonly tenant: Tenant;
  readonly source: ReleaseSource;
  readonly base: number;
  readonly author: string;
  readonly message: string;
  readonly plan: Plan;
  readonly before: DesiredState | null;
  readonly state: DesiredState;
}

const CREATED_AT = `to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as created_at`;

/** Writes everything a publish keeps, and tells the other processes. */
export async function saveRelease(client: PoolClient, release: NewRelease): Promise<Release> {
  const { tenant, source, base, author, message, plan, state } = release;
  const number = source.release;
  const { rows } = await client.query<{ created_at: string }>(
    `insert into armature.release (tenant_id, number, base, author, message, source, plan) values ($1, $2, $3, $4, $5, $6, $7) returning ${CREATED_AT}`,
    [tenant.id, number, base, author, message, JSON.stringify(source), JSON.stringify(plan)],
  );
  await client.query('update armature.tenant set release = $2 where id = $1', [tenant.id, number]);
  await client.query(
    `insert into armature.tenant_state (tenant_id, release, state, engine) values ($1, $2, $3, $4)
     on conflict (tenant_id) do update set release = excluded.release, state = excluded.state, engine = excluded.engine`,
    [tenant.id, number, JSON.stringify(state), await engineMark()],
  );
  await saveAside(client, release);
  await client.query(`select pg_notify('armature_release', $1)`, [`${tenant.key} ${number}`]);
  return { number, base, author, message, createdAt: rows[0]?.created_at ?? '', plan };
}

/** The release that still had what was set aside under this id; `null` when nothing was. */
export async function releaseBeforeAside(client: ClientBase, tenant: Tenant, id: string): Promise<number | null> {
  const { rows } = await client.query<{ release: number }>(
    'select max(release) - 1 as release from armature.set_aside where tenant_id = $1 and id = $2',
    [tenant.id, id],
  );
  return rows[0]?.release ?? null;
}

/** Keys of the tenants whose schema another engine has made. */
export async function madeByAnother(client: ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ key: string }>(
    `select t.key from armature.tenant_state s join armature.tenant t on t.id = s.tenant_id where s.engine <> $1 order by t.key`,
    [await engineMark()],
  );
  return rows.map(({ key }) => key);
}

/** Whether another engine has made this one's. */
export async function isMadeByAnother(client: ClientBase, tenant: Pick<Tenant, 'id'>): Promise<boolean> {
  const { rowCount } = await client.query('select from armature.tenant_state where tenant_id = $1 and engine <> $2', [
    tenant.id,
    await engineMark(),
  ]);
  return rowCount === 1;
}

/** Notes that this engine makes the same of a release as the one that has made the schema. */
export async function madeAlike(client: ClientBase, tenant: Pick<Tenant, 'id'>, release: number): Promise<void> {
  await client.query('update armature.tenant_state set engine = $3 where tenant_id = $1 and release = $2', [
    tenant.id,
    release,
    await engineMark(),
  ]);
}

/** When what has this id was set aside, as Postgres writes it; `null` when nothing was. */
export async function asideSince(client: ClientBase, tenant: Tenant, id: string): Promise<string | null> {
  const { rows } = await client.query<{ at: string | null }>(
    'select max(at)::text as at from armature.set_aside where tenant_id = $1 and id = $2',
    [tenant.id, id],
  );
  return rows[0]?.at ?? null;
}

/**
 * The purge's: the release stays, what was set aside is less. Rows of `armature.set_aside` follow.
 * @param tenantId `Tenant.id`
 */
export async function updateState(client: ClientBase, tenantId: string, state: DesiredState): Promise<void> {
  await client.query('update armature.tenant_state set state = $2 where tenant_id = $1', [
    tenantId,
    JSON.stringify(state),
  ]);
  await client.query('delete from armature.set_aside where tenant_id = $1 and id <> all($2)', [
    tenantId,
    [...asides(state).keys()],
  ]);
}

/** Keeps `armature.set_aside` equal to what the state says, for the purge and for people who look. */
async function saveAside(client: PoolClient, { tenant, source, before, state }: NewRelease): Promise<void> {
  const was = asides(before);
  const is = asides(state);
  const kept = [...is].filter(([id]) => was.has(id));
  for (const [id, { table, column }] of kept) {
    if (was.get(id)?.table === table && was.get(id)?.column === column) continue;
    // Its table has another name; it was set aside when it was.
    await client.query(
      'update armature.set_aside set table_name = $3, column_name = $4 where tenant_id = $1 and id = $2',
      [tenant.id, id, table, column],
    );
  }
  const gone = [...was.keys()].filter((id) => !kept.some(([other]) => other === id));
  if (gone.length > 0)
    await client.query('delete from armature.set_aside where tenant_id = $1 and id = any($2)', [tenant.id, gone]);
  for (const [id, { table, column }] of is) {
    if (kept.some(([other]) => other === id)) continue;
    const original = originalName(before, id) ?? id;
    await client.query(
      'insert into armature.set_aside (tenant_id, id, table_name, column_name, original, release) values ($1, $2, $3, $4, $5, $6)',
      [tenant.id, id, table, column, original, source.release],
    );
  }
}

/** By id: the table it is, or is in, and its own name when it is a column. Columns of a table set aside go with the table. */
function asides(
  state: DesiredState | null,
): ReadonlyMap<string, { readonly table: string; readonly column: string | null }> {
  const found = new Map<string, { table: string; column: string | null }>();
  for (const table of Object.values(state?.tables ?? {})) {
    if (table.aside) found.set(table.id, { table: table.name, column: null });
    for (const [id, column] of Object.entries(table.columns))
      if (column.aside) found.set(id, { table: table.name, column: column.name });
  }
  return found;
}

function originalName(before: DesiredState | null, shape: string): string | undefined {
  const id = fieldOf(shape);
  const table = before?.tables[id];
  if (table) return table.name;
  return Object.values(before?.tables ?? {}).find((one) => one.columns[id])?.columns[id]?.name;
}

export async function listReleases(client: PoolClient, tenant: Tenant): Promise<readonly ReleaseSummary[]> {
  const { rows } = await client.query<{
    number: number;
    base: number;
    author: string;
    message: string;
    created_at: string;
  }>(
    `select number, base, author, message, ${CREATED_AT} from armature.release where tenant_id = $1 order by number desc`,
    [tenant.id],
  );
  return rows.map(({ created_at: createdAt, ...row }) => ({ ...row, createdAt }));
}

/** With its plan. `null` when there is none of that number. */
export async function loadRelease(client: PoolClient, tenant: Tenant, number: number): Promise<Release | null> {
  const { rows } = await client.query<{
    number: number;
    base: number;
    author: string;
    message: string;
    plan: Plan;
    created_at: string;
  }>(
    `select number, base, author, message, plan, ${CREATED_AT} from armature.release where tenant_id = $1 and number = $2`,
    [tenant.id, number],
  );
  const [row] = rows;
  if (!row) return null;
  const { created_at: createdAt, ...release } = row;
  return { ...release, createdAt };
}
