/**
 * Imports beside what one would write by hand: `COPY` of the file into a staging table and one `INSERT … SELECT` from
 * there, as the same database role, into the same table with its policies, checks, indexes and triggers. By hand nobody
 * maps columns, checks values one by one, or can say which row was wrong.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { derive, LOGIN_ROLES } from '#engine/db/bootstrap.ts';
import { startEmbedded } from '#engine/db/embedded.ts';
import { arrayText, quote, tenantNames } from '#engine/db/identifiers.ts';
import type { Running } from './product.ts';
import { runCommand } from './product.ts';

const COLUMNS = [
  'First name',
  'Last name',
  'External ID',
  'Account',
  'Job title',
  'E-mail',
  'Phone',
  'City',
  'Do not call',
];

export interface ImportMeasure {
  /** Of each round: seconds by hand / seconds of the import, from the file's first byte to the last record. */
  readonly ratios: readonly number[];
  /** Seconds of the slowest import. */
  readonly slowest: number;
}

/** @param home of the running product, whose demo organisation gets the contacts */
export async function measureImport(
  home: string,
  product: Running,
  count: number,
  rounds: number,
): Promise<ImportMeasure> {
  const email = /administrator\s+(\S+)/.exec(product.printed)?.[1] ?? '';
  const token = await runCommand(home, 'token', '--tenant', 'demo', '--user', email);
  const authorization = `Bearer ${token}`;
  const api = async (method: string, path: string, body?: unknown) => {
    const form = body instanceof FormData;
    const response = await fetch(product.url + path, {
      method,
      headers: { authorization, ...(form ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: form ? body : JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.data;
  };
  const [user] = await api('GET', `/api/core/v1/users?email=${encodeURIComponent(email)}&$select=id,team,roles`);
  const accounts: { id: string }[] = await api('GET', '/api/crm/v1/accounts?$select=id&$first=100');
  const postgres = await startEmbedded({ directory: home, password: '' });
  const secret = (await readFile(join(home, 'secret'), 'utf8')).trim();
  const names = tenantNames('t', 'demo');
  const pool = new pg.Pool({
    host: '127.0.0.1',
    port: postgres.port,
    database: 'armature',
    user: LOGIN_ROLES.app,
    password: derive(secret, `postgres:${LOGIN_ROLES.app}`),
    max: 1,
  });

  // Nobody may make temporary tables: for the one by hand it is allowed here, as a table of its own would be slower.
  const admin = new pg.Client({
    host: '127.0.0.1',
    port: postgres.port,
    database: 'armature',
    user: 'postgres',
    password: derive(secret, 'postgres:postgres'),
  });
  await admin.connect();
  await admin.query(`grant temporary on database armature to ${quote(names.role(user.roles[0]))}`);
  await admin.end();

  const rowsOf = (mark: string): string[][] =>
    Array.from({ length: count }, (_, index) => [
      `First ${index}`,
      `Last ${index % 997}`,
      `${mark}-${index}`,
      accounts[index % accounts.length]?.id ?? '',
      index % 3 === 0 ? 'Engineer' : '',
      `person${index}@${mark}.example`,
      `+4930${String(1_000_000 + index)}`,
      index % 2 === 0 ? 'Berlin' : 'Köln',
      index % 5 === 0 ? 'true' : 'false',
    ]);
  const csvOf = (rows: readonly (readonly string[])[]): string =>
    `${[COLUMNS, ...rows].map((row) => row.join(',')).join('\n')}\n`;

  const throughProduct = async (mark: string): Promise<number> => {
    const csv = csvOf(rowsOf(mark));
    const started = performance.now();
    const form = new FormData();
    form.set('file', new File([csv], 'people.csv'));
    const upload = await api('POST', '/api/crm/v1/contacts/imports', form);
    const at = `/api/crm/v1/contacts/imports/${upload.id}`;
    await api('POST', `${at}/start`, {
      mapping: {
        'First name': 'first_name',
        'Last name': 'last_name',
        'External ID': 'external_id',
        Account: { field: 'account', by: 'id' },
        'Job title': 'job_title',
        'E-mail': 'email',
        Phone: 'phone',
        City: 'city',
        'Do not call': 'do_not_call',
      },
    });
    for (;;) {
      const state = await api('GET', at);
      if (state.state === 'done') {
        if (state.created !== count) throw new Error(JSON.stringify(state));
        break;
      }
      if (state.state === 'failed') throw new Error(JSON.stringify(state));
      await delay(25);
    }
    return (performance.now() - started) / 1000;
  };

  const byHand = async (mark: string): Promise<number> => {
    const csv = csvOf(rowsOf(mark));
    const client = await pool.connect();
    const started = performance.now();
    await client.query('begin');
    await client.query(
      `select set_config('armature.user_id',$1,true), set_config('armature.team',$2,true), set_config('armature.teams',$3,true),
       set_config('armature.roles',$4,true), set_config('armature.attributes','{}',true), set_config('armature.time_zone','UTC',true),
       set_config('armature.now','',true), set_config('role',$5,true)`,
      [
        user.id,
        user.team ?? '',
        arrayText(user.team ? [user.team] : []),
        arrayText(user.roles),
        names.role(user.roles[0]),
      ],
    );
    await client.query(
      `create temp table staging (first_name text, last_name text, external_id text, account uuid, job_title text, email text,
       phone text, city text, do_not_call boolean) on commit drop`,
    );
    await pipeline(Readable.from([csv]), client.query(copyFrom('copy staging from stdin (format csv, header)')));
    const { rowCount } = await client.query(
      `insert into "${names.schema}".crm_contacts (id, first_name, last_name, external_id, account, job_title, email, phone, city, do_not_call, owner)
       select uuidv7(), s.first_name, s.last_name, s.external_id, a.id, s.job_title, lower(s.email), s.phone, s.city, s.do_not_call, $1
       from staging s join "${names.schema}".crm_accounts a on a.id = s.account and a.deleted_at is null`,
      [user.id],
    );
    await client.query('commit');
    client.release();
    if (rowCount !== count) throw new Error(`${rowCount} rows by hand`);
    return (performance.now() - started) / 1000;
  };

  const run = `${count}-`;
  const ratios: number[] = [];
  let slowest = 0;
  await throughProduct(`${run}warm-a`);
  await byHand(`${run}warm-b`);
  for (let round = 0; round < rounds; round++) {
    const hand = await byHand(`${run}hand${round}`);
    const whole = await throughProduct(`${run}made${round}`);
    ratios.push(hand / whole);
    slowest = Math.max(slowest, whole);
  }
  await pool.end();
  return { ratios, slowest };
}
