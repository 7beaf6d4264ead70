/** The checks of `isolation.test.ts` are worth something: with a policy, a grant or the guard taken away they fail. */
import { afterEach, expect, test } from 'vitest';
import { testApp } from '../support/app.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';
import { Checks } from './checks.ts';
import { buildWorld, expectationOf } from './world.ts';

const database = await testDatabase();
const { superuser } = database;
const app = await testApp(database);
const world = await buildWorld(app, (key) => makeTenant(app, key));
const checks = new Checks(world, expectationOf(world.model), database);

const TABLE = '"t_acme"."crm_leads"';
const { tenant, model } = await app.app.services.models.get('acme');
const lead = model.entities.get('crm.lead');
// Changes leads of their own, and the descriptions of their team's.
const person = world.people.find((one) => one.name === 'rep_a' && one.tenant === 'acme');
if (!lead || !person) throw new Error('the world has no such person or entity');
const client = world.clientOf(person, app.policiesOnly.url);
const role = `"${tenant.names.role('sales_rep')}"`;

const reads = () => checks.reads(client, person, lead);
const changes = () => checks.changes(client, person, lead);

interface Policy {
  readonly cmd: string;
  readonly qual: string | null;
  readonly with_check: string | null;
}

async function policy(name: string): Promise<Policy> {
  const { rows } = await superuser.query<Policy>(
    `select cmd, qual, with_check from pg_policies where schemaname = 't_acme' and tablename = 'crm_leads' and policyname = $1`,
    [name],
  );
  if (!rows[0]) throw new Error(`there is no policy ${name}`);
  return rows[0];
}

/** The definition of the row trigger's function. */
async function guarded(): Promise<string> {
  const { rows } = await superuser.query<{ definition: string }>(
    `select pg_get_functiondef('"t_acme"."before_${lead?.id}"'::regproc) as definition`,
  );
  return rows[0]?.definition ?? '';
}

let repair = async (): Promise<unknown> => null;
afterEach(async () => {
  await repair();
  repair = async () => null;
});

test('a whole database passes', async () => {
  await reads();
  await changes();
});

test.each(['read_sales_rep', 'update_sales_rep', 'create_sales_rep'])(
  'a missing policy is noticed: %s',
  async (name) => {
    const { cmd, qual, with_check } = await policy(name);
    const using = qual === null ? '' : `using (${qual})`;
    const check = with_check === null ? '' : `with check (${with_check})`;
    repair = () => superuser.query(`create policy "${name}" on ${TABLE} for ${cmd} to ${role} ${using} ${check}`);
    await superuser.query(`drop policy "${name}" on ${TABLE}`);
    await expect(cmd === 'SELECT' ? reads() : changes()).rejects.toThrow(/expected/);
  },
);

test('a policy that lets everything through is noticed', async () => {
  const { qual } = await policy('read_sales_rep');
  repair = () => superuser.query(`alter policy "read_sales_rep" on ${TABLE} using (${qual})`);
  await superuser.query(`alter policy "read_sales_rep" on ${TABLE} using (true)`);
  await expect(reads()).rejects.toThrow(/expected/);
});

test('a missing column grant is noticed', async () => {
  repair = () => superuser.query(`grant update (description) on ${TABLE} to ${role}`);
  await superuser.query(`revoke update (description) on ${TABLE} from ${role}`);
  await expect(changes()).rejects.toThrow(/"status":403/);
});

test('a missing guard is noticed', async () => {
  const whole = await guarded();
  const without = whole.replace("if current_user <> 'armature_owner' and not", 'if false and not');
  expect(without).not.toBe(whole);
  repair = () => superuser.query(whole);
  await superuser.query(without);
  await expect(changes()).rejects.toThrow(/"status":200/);
});

test('a guard that gives what steps set at any time is noticed', async () => {
  const whole = await guarded();
  const without = whole.replaceAll(/\(old\."status", new\."status"\) in \([^;]*?'\)\)/g, 'true');
  expect(without).not.toBe(whole);
  repair = () => superuser.query(whole);
  await superuser.query(without);
  await expect(changes()).rejects.toThrow(/"status":200/);
});
