/** What a conversion would do, found out by trying it: for the plan, and with some of the values only for people who may see them. */
import type { PoolClient } from 'pg';
import { quote } from '../../db/identifiers.ts';
import type { ReleaseSource } from '../../model/documents.ts';
import type { Entity } from '../../model/model.ts';
import type { Tenant } from '../../model/tenant.ts';
import { tableName, typeOf } from '../ddl.ts';
import type { DesiredState, TableState } from '../state.ts';
import type { Conversion, OnFail } from './conversions.ts';
import { Names } from './names.ts';
import { convertRows, type Failure, type Places } from './rows.ts';
import { refuseMissing } from './within.ts';

/** Rows gone through at most; a table has more, the rest is told as unknown. */
const LIMIT = 200_000;
/** Values shown that cannot be converted. */
const SAMPLE = 20;

export interface ConversionPreview {
  readonly entity: string;
  readonly field: string;
  /** Keys of the field types. */
  readonly from: string;
  readonly to: string;
  /** Records gone through; fewer than the table has where it is very large. */
  readonly checked: number;
  /** Those of them whose value cannot become the new type. */
  readonly fails: number;
  readonly onFail: OnFail;
  /** Some of them. Not kept with the release. */
  readonly sample?: readonly (Failure & { readonly title: string })[];
}

/** @throws Problem `invalid_document` where records would have no value of a required field, and none is in the way */
export async function preview(
  client: PoolClient,
  tenant: Tenant,
  source: ReleaseSource,
  before: DesiredState,
  wanted: DesiredState,
  conversion: Conversion,
): Promise<ConversionPreview> {
  const { table, column, entity, to, from, onFail } = conversion;
  const state = before.tables[table];
  const target = wanted.tables[table]?.columns[column];
  const old = state?.columns[column];
  if (!state || !old || !target) throw new TypeError(`no column ${column}`);
  const places: Places = {
    table: tableName(before, state),
    from: quote(old.name),
    to: quote(old.name),
    kept: conversion.returns === null ? null : quote(conversion.returns),
    type: typeOf(target),
    version: null,
    names: conversion.target && new Names(client, before, conversion.target),
  };
  await places.names?.gather(column, true);
  const sample: Failure[] = [];
  let checked = 0;
  let fails = 0;
  let empty = 0;
  let last: string | null = null;
  do {
    const batch = await convertRows(client, tenant, conversion, places, last, false);
    checked += batch.rows;
    fails += batch.failures.length;
    empty += batch.empty;
    sample.push(...batch.failures.slice(0, SAMPLE - sample.length));
    last = batch.last;
  } while (last !== null && checked < LIMIT);
  if (fails === 0 || onFail === 'null') refuseMissing(source, conversion, empty);
  return {
    entity: entity.name,
    field: to.key,
    from: from.type.key,
    to: to.type.key,
    checked,
    fails,
    onFail,
    ...(sample.length > 0 && { sample: await withTitles(client, before, state, entity, sample) }),
  };
}

async function withTitles(
  client: PoolClient,
  before: DesiredState,
  state: TableState,
  entity: Entity,
  sample: readonly Failure[],
): Promise<readonly (Failure & { readonly title: string })[]> {
  // As the columns are called before the release.
  const columns = entity.title.fields.map((key) => state.columns[entity.fields.get(key)?.id ?? '']?.name);
  const cells = columns.map((name) => (name === undefined ? "''" : `coalesce(${quote(name)}::text, '')`));
  const { rows } = await client.query<{ id: string; cells: readonly string[] }>(
    `select id::text as id, array[${cells.join(', ')}]::text[] as cells from ${tableName(before, state)} where id = any($1::uuid[])`,
    [sample.map(({ id }) => id)],
  );
  const titles = new Map(rows.map(({ id, cells: parts }) => [id, titleOf(entity, parts)]));
  return sample.map((failure) => ({ ...failure, title: titles.get(failure.id) ?? failure.id }));
}

function titleOf({ title }: Entity, cells: readonly string[]): string {
  const byKey = new Map(title.fields.map((key, index) => [key, cells[index] ?? '']));
  return title.template.replaceAll(/\{([^{}]*)\}/g, (_, key: string) => byKey.get(key) ?? '').trim();
}
