/** Converting the values of a column, some rows at a time: read, converted by the field types, written back. */
import type { ClientBase } from 'pg';
import { quote } from '../../db/identifiers.ts';
import type { Tenant } from '../../model/tenant.ts';
import type { Field } from '../../model/model.ts';
import type { Value } from '../../model/value-type.ts';
import type { Conversion } from './conversions.ts';
import { type Known, type Names, NOTHING } from './names.ts';
import { cellOf, contextOf, type Converted, convertValue, textOf } from './values.ts';

/** Rows read and written at a time. */
export const ROWS = 1000;

/** Where the values stand and where they go. Names are quoted. */
export interface Places {
  readonly table: string;
  readonly from: string;
  readonly to: string;
  /** A column of the new type with the values it had before, which come back; `null` without one. */
  readonly kept: string | null;
  readonly type: string;
  /** The version a row's value was made from is noted here; rows whose version is another one are still to be done. */
  readonly version: string | null;
  /** Of the records that a reference leads to; `null` where the field neither is one nor was. */
  readonly names: Names | null;
}

export interface Failure {
  readonly id: string;
  readonly value: string;
  readonly reason: string;
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly old: string | null;
  /** What the column that comes back had. */
  readonly kept: string | null;
  /** Nobody has written the record since the column that comes back was set aside. */
  readonly untouched: boolean;
}

export interface Batch {
  readonly rows: number;
  /** Id of the last row; `null` when there are no more. */
  readonly last: string | null;
  readonly failures: readonly Failure[];
  /** Rows that have no value afterwards. */
  readonly empty: number;
}

/**
 * Converts the next rows.
 * @param after id of the row before the first one, `null` for the beginning
 * @param write `false` looks only
 */
export async function convertRows(
  client: ClientBase,
  tenant: Tenant,
  conversion: Conversion,
  places: Places,
  after: string | null,
  write = true,
): Promise<Batch> {
  const { from, to, onFail, since } = conversion;
  const { table, version } = places;
  const old = `to_jsonb(${from.type.select(`x.${places.from}`, from)})::text`;
  const kept = places.kept === null ? 'null::text' : `to_jsonb(${to.type.select(`x.${places.kept}`, to)})::text`;
  const due = version === null ? 'true' : `x.${version} is distinct from x.${VERSION}`;
  const { rows } = await client.query<Row>(
    `select x.${ID}::text as id, x.${VERSION} as version, ${old} as old, ${kept} as kept, coalesce(x.${quote('updated_at')} < $2::timestamptz, false) as untouched from ${table} x
     where ($1::uuid is null or x.${ID} > $1) and ${due} order by x.${ID} limit ${ROWS}`,
    [after, since],
  );
  const known = places.names === null ? NOTHING : await named(places.names, tenant, conversion, rows);
  const failures: Failure[] = [];
  const done: { readonly row: Row; readonly value: string | null }[] = [];
  for (const row of rows) {
    const converted = convertRow(tenant, conversion, row, known);
    if ('value' in converted) {
      done.push({ row, value: textOf(converted.value) });
      continue;
    }
    failures.push({ id: row.id, value: shown(valueOf(row.old), from, known), reason: converted.reason });
    // Where it refuses the release it stays to be done: whoever goes on after a crash has to meet it too.
    if (onFail === 'null') done.push({ row, value: null });
  }
  if (write && done.length > 0) {
    const note = version === null ? '' : `, ${version} = t.${VERSION}`;
    await client.query(
      `update ${table} t set ${places.to} = v.value::${places.type}${note} from unnest($1::uuid[], $2::integer[], $3::text[]) v(id, version, value)
       where t.${ID} = v.id and t.${VERSION} = v.version`,
      [done.map(({ row }) => row.id), done.map(({ row }) => row.version), done.map(({ value }) => value)],
    );
  }
  const empty = done.filter(({ value }) => value === null).length;
  return { rows: rows.length, last: rows.length < ROWS ? null : (rows.at(-1)?.id ?? null), failures, empty };
}

const ID = quote('id');
const VERSION = quote('version');

/**
 * Where the column of the new type was there before and comes back, a value that nobody changed since comes back as it
 * was, also where the type in between could not hold it.
 */
function convertRow(tenant: Tenant, { from, to }: Conversion, row: Row, known: Known): Converted {
  const value = valueOf(row.old);
  const kept = valueOf(row.kept);
  // A record that was deleted for good does not come back with a reference to it.
  if (kept !== null && (!to.reference || known.titles.has(String(kept)))) {
    // Names may mean other records by now.
    if (row.untouched) return { value: kept };
    const then = convertValue(kept, to, from, contextOf(tenant, to), known);
    const was = 'value' in then ? then.value : null;
    const same =
      was === null || value === null
        ? was === value
        : from.type.exportCell(was, from) === from.type.exportCell(value, from);
    if (same) return { value: kept };
  }
  return value === null ? { value } : convertValue(value, from, to, contextOf(tenant, from), known);
}

/** Everything the rows name, in one question. */
async function named(names: Names, tenant: Tenant, { from, to }: Conversion, rows: readonly Row[]): Promise<Known> {
  const values = rows.flatMap(({ old }) => valueOf(old) ?? []);
  const kept = rows.flatMap((row) => valueOf(row.kept) ?? []);
  const cells = (of: readonly Value[], was: Field, is: Field): readonly string[] =>
    of.map((value) => cellOf(value, was, is, contextOf(tenant, was), NOTHING).trim());
  return to.reference
    ? names.look(cells(values, from, to), kept.map(String))
    : names.look(cells(kept, to, from), values.map(String));
}

function valueOf(json: string | null): Value {
  const value: unknown = json === null ? null : JSON.parse(json);
  if (Array.isArray(value)) return value.map(String);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

const LONGEST = 200;
function shown(was: Value, from: Field, known: Known): string {
  const value = (from.reference ? known.titles.get(String(was)) : undefined) ?? textOf(was) ?? '';
  return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
}

/** Writes of this transaction are publishing's own: no new versions, no history, no events. */
export async function quietly(client: ClientBase): Promise<void> {
  await client.query('set local armature.quiet = on');
}

export async function aloud(client: ClientBase): Promise<void> {
  await client.query('set local armature.quiet = off');
}
