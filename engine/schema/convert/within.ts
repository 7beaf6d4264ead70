/** A conversion inside the transaction of a publish: all rows of a small table, or what was written since they were converted ahead. */
import type { PoolClient } from 'pg';
import { quote } from '../../db/identifiers.ts';
import type { ReleaseSource } from '../../model/documents.ts';
import type { Tenant } from '../../model/tenant.ts';
import { Problem } from '../../problem.ts';
import { columnName, columnNames, tableName, typeOf } from '../ddl.ts';
import { comingVersionName } from '../names.ts';
import { locate } from '../source.ts';
import type { DesiredState } from '../state.ts';
import type { Conversion } from './conversions.ts';
import { leadSomewhere } from './dangling.ts';
import { Names } from './names.ts';
import { aloud, convertRows, type Places, quietly } from './rows.ts';

export interface WithinInput {
  readonly tenant: Tenant;
  readonly source: ReleaseSource;
  /** The state of the release; the table already has its names. */
  readonly after: DesiredState;
  readonly conversion: Conversion;
  /** All of the publish. */
  readonly conversions: readonly Conversion[];
  /** Where rows were converted before, as in `Ready`: only those are left that were written since. */
  readonly horizon: string | null;
}

/**
 * @throws Problem `invalid_document` when values cannot become the new type, with their number
 */
export async function convertWithin(client: PoolClient, input: WithinInput): Promise<void> {
  const { tenant, source, after, conversion, horizon } = input;
  const places = placesAfter(client, input);
  await quietly(client);
  if (horizon !== null) await leadSomewhere(client, tenant, after, conversion, places, horizon);
  if (horizon !== null) await places.names?.useGathered(conversion.column);
  let last: string | null = null;
  let failed = 0;
  do {
    const batch = await convertRows(client, tenant, conversion, places, last);
    failed += batch.failures.length;
    last = batch.last;
  } while (last !== null);
  await aloud(client);
  refuseFailures(source, conversion, failed);
  await refuseDuplicates(client, source, after, conversion);
  if (conversion.to.required && conversion.to.default === undefined) {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from ${places.table} where ${places.to} is null`,
    );
    refuseMissing(source, conversion, rows[0]?.count ?? 0);
  }
}

/**
 * @param empty records without a value of the new type
 * @throws Problem `invalid_document`
 */
export function refuseMissing(source: ReleaseSource, conversion: Conversion, empty: number): void {
  const { entity, to } = conversion;
  if (empty === 0 || !to.required || to.default !== undefined) return;
  const message = `${empty.toLocaleString('en')} records of ${entity.label} would have no ${to.label}, and it is required. Fill them, or give the field a default.`;
  throw refusal(source, conversion, 'values_missing', empty, message);
}

/** Values that were different may be the same now. */
async function refuseDuplicates(
  client: PoolClient,
  source: ReleaseSource,
  after: DesiredState,
  conversion: Conversion,
): Promise<void> {
  const table = after.tables[conversion.table];
  if (!table) return;
  for (const { unique, columns, whereNull } of Object.values(table.indexes)) {
    if (!unique || !columns.includes(conversion.column)) continue;
    const filled = columns.map((column) => `${columnName(table, column)} is not null`);
    const live = whereNull === null ? [] : [`${columnName(table, whereNull)} is null`];
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from (select from ${tableName(after, table)} where ${[...filled, ...live].join(' and ')}
       group by ${columnNames(table, columns)} having count(*) > 1) d`,
    );
    const count = rows[0]?.count ?? 0;
    if (count > 0)
      throw refusal(
        source,
        conversion,
        'values_not_unique',
        count,
        `${count.toLocaleString('en')} values of ${labelOf(conversion)} would be used by several records. Change them first.`,
      );
  }
}

/** @throws Problem `invalid_document` */
export function refuseFailures(source: ReleaseSource, conversion: Conversion, failed: number): void {
  if (failed > 0 && conversion.onFail === 'refuse')
    throw refusal(
      source,
      conversion,
      'values_not_convertible',
      failed,
      `${failed.toLocaleString('en')} values of ${labelOf(conversion)} cannot become ${conversion.to.type.key}. A plan shows which.`,
    );
}

const labelOf = ({ entity, to }: Conversion): string => `${to.label} of ${entity.label}`;

function refusal(
  source: ReleaseSource,
  { entity, to, from }: Conversion,
  code: string,
  count: number,
  message: string,
): Problem {
  const params = { count, from: from.type.key, to: to.type.key };
  return new Problem('invalid_document', message, [
    { code, message, params, ...locate(source, entity.name, to.key, 'type') },
  ]);
}

function placesAfter(client: PoolClient, { after, conversion, conversions, horizon }: WithinInput): Places {
  const { table, column, aside, returns, target: records } = conversion;
  const ahead = horizon !== null;
  // Titles are made of values as they are before the publish.
  const asides = new Map(conversions.map((one) => [one.column, one.aside]));
  const state = after.tables[table];
  const target = state?.columns[column];
  if (!state || !target) throw new TypeError(`no column ${column}`);
  return {
    table: tableName(after, state),
    from: columnName(state, aside),
    to: columnName(state, column),
    // It is that column itself by now, unless another one was made ready in its place.
    kept: returns === null ? null : ahead ? quote(returns) : columnName(state, column),
    type: typeOf(target),
    version: ahead ? quote(comingVersionName(column)) : null,
    names: records && new Names(client, after, records, (field) => asides.get(field) ?? field),
  };
}
