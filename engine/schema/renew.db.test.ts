/** After an upgrade of the engine every schema is what the new version makes of its release, without anybody asking for it. */
import { expect, test, vi } from 'vitest';
import { quote } from '#engine/db/identifiers.ts';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { schemaLab } from '#tests/support/schema-lab.ts';
import { SHARED_RECORDS } from '../condition/to-sql.ts';
import { engineMark } from './engine-mark.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);
const { publisher } = lab;

/** The schema as an engine would have left it that knew nothing of one of its functions. */
async function asBefore(key: string): Promise<string> {
  const { tenant } = await lab.organisation(key, { packs: ['crm'] });
  const { schema } = tenant.names;
  await postgres.superuser.query(`drop function ${quote(schema)}.${quote(SHARED_RECORDS)}(text, text) cascade`);
  await postgres.superuser.query(
    `update armature.tenant_state set engine = 'older', state = state #- array['functions', $2] #- array['callers', $2] where tenant_id = $1`,
    [tenant.id, SHARED_RECORDS],
  );
  return schema;
}

async function has(schema: string): Promise<boolean> {
  const { rowCount } = await postgres.superuser.query(
    'select from pg_proc where proname = $1 and pronamespace = $2::regnamespace',
    [SHARED_RECORDS, schema],
  );
  return rowCount === 1;
}

test('a schema of another engine is brought up to date by a release that says so, once', async () => {
  const schema = await asBefore('acme');
  expect(await has(schema)).toBe(false);
  const before = await publisher.documents('acme');
  const renewed = await publisher.renew('acme');
  expect(renewed).toMatchObject({ number: 2, base: 1, author: 'armature' });
  expect(renewed?.plan.steps.length).toBeGreaterThan(0);
  expect(await has(schema)).toBe(true);
  expect({ ...(await publisher.documents('acme')), release: 1 }).toEqual(before);
  expect(await publisher.renew('acme')).toBeNull();
});

test('an engine that makes the same of it leaves the release alone, and does not look again', async () => {
  await lab.organisation('same', { packs: ['crm'] });
  const mark = async () =>
    (
      await postgres.superuser.query(
        `select s.engine from armature.tenant_state s join armature.tenant t on t.id = s.tenant_id where t.key = 'same'`,
      )
    ).rows[0]?.engine;
  expect(await mark()).toBe(await engineMark());
  await postgres.superuser.query(`update armature.tenant_state set engine = 'older'`);
  expect(await publisher.renew('same')).toBeNull();
  expect(await mark()).toBe(await engineMark());
  expect(await publisher.releases('same')).toHaveLength(1);
});

test('a server does so when it starts', { timeout: 120_000 }, async () => {
  const schema = await asBefore('late');
  await testApp(postgres);
  await vi.waitFor(async () => expect(await has(schema)).toBe(true), { timeout: 60_000, interval: 100 });
});
