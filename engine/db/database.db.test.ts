import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase } from '#tests/support/postgres.ts';
import { isConnectionLost } from './connection.ts';
import { bareSession, Database } from './database.ts';
import { tenantNames } from './identifiers.ts';
import { migrateDown, migrateUp } from './migrate.ts';

const database = await testDatabase();
const db = new Database({ address: database.address, app: database.app, owner: database.owner, connections: 2 });
const names = tenantNames(database.rolePrefix, 'acme');
const role = names.role('reader');
const session = {
  ...bareSession(role),
  userId: randomUUID(),
  teams: [randomUUID(), randomUUID()],
  attributes: { department: 'o"r\\d' },
};

beforeAll(async () => {
  await db.ownerTransaction(async (client) => {
    await client.query(`create role "${role}"; grant armature_tenant to "${role}" with inherit true;
      grant "${role}" to armature_app with inherit false, set true`);
  });
});
afterAll(() => db.close());

const rows = async (text: string, values: (string | null)[] = []) =>
  (await db.batch(session, [{ text, values }]))[0]?.rows;

describe('a batch', () => {
  test('runs as the role with the context, and leaves nothing behind', async () => {
    expect(
      await rows('select current_user, armature.user_id(), armature.teams(), armature.attribute($1)', ['department']),
    ).toEqual([[role, session.userId, `{${session.teams.join(',')}}`, 'o"r\\d']]);
    const { rows: after } = await db.asOwner((client) => client.query('select armature.user_id()'));
    expect(after[0]?.user_id).toBeNull();
  });

  test('is one transaction: an error in the last statement undoes the first', async () => {
    await db.ownerTransaction(async (client) => {
      await client.query(`create table public.note (id int); grant select, insert on public.note to "${role}"`);
    });
    await expect(
      db.batch(session, [
        { text: 'insert into public.note values (1)', values: [] },
        { text: 'select 1 / $1::int', values: ['0'] },
      ]),
    ).rejects.toThrow('division by zero');
    expect(await rows('select count(*) from public.note')).toEqual([['0']]);
  });

  test('after an error the same statement works again on the same connection', async () => {
    const divide = (divisor: string) => rows('select 10 / $1::int', [divisor]);
    await expect(divide('0')).rejects.toThrow('division');
    expect(await divide('1')).toEqual([['10']]);
    await expect(divide('0')).rejects.toThrow('division');
    expect(await divide('2')).toEqual([['5']]);
  });

  test('that cannot be written is refused, and leaves no half of it on a connection', async () => {
    const unwritable: string[] = JSON.parse('[5]');
    for (let time = 0; time < 4; time++) {
      await expect(
        db.batch(session, [
          { text: 'insert into public.note values (2)', values: [] },
          { text: 'select $1::int', values: unwritable },
        ]),
      ).rejects.toThrow('must be of type string');
      expect(await rows('select count(*) from public.note')).toEqual([['0']]);
    }
  });

  test('outlives a change of a column’s type, on every connection that knew the old one', async () => {
    await db.ownerTransaction(async (client) => {
      await client.query(
        `create table public.size (id int, size int); insert into public.size values (1, 7); grant select on public.size to "${role}"`,
      );
    });
    const read = () => rows('select size from public.size where id = $1::int', ['1']);
    // Both connections, and often enough for a plan that is kept.
    for (let round = 0; round < 8; round++) await Promise.all([read(), read()]);
    await db.ownerTransaction(async (client) => {
      await client.query('alter table public.size alter column size type numeric(12, 2)');
    });
    for (let round = 0; round < 2; round++)
      expect(await Promise.all([read(), read()])).toEqual([[['7.00']], [['7.00']]]);
    await db.ownerTransaction(async (client) => {
      await client.query('alter table public.size alter column size type text');
    });
    const first = await db.transaction(session, async ({ send }) =>
      send({ text: 'select size from public.size where id = $1::int', values: ['1'] }),
    );
    expect(first[0]?.rows).toEqual([['7.00']]);
    expect(await Promise.all([read(), read()])).toEqual([[['7.00']], [['7.00']]]);
  });

  test('acts as a role that was made a moment ago, while others are being made', { timeout: 300_000 }, async () => {
    const made: string[] = [];
    const make = (name: string) => {
      made.push(name);
      return db.ownerTransaction((client) =>
        client.query(`create role "${name}"; grant armature_tenant to "${name}" with inherit true;
          grant "${name}" to armature_app with inherit false, set true`),
      );
    };
    const few = new Database({ address: database.address, app: database.app, owner: database.owner, connections: 4 });
    const refused: unknown[] = [];
    const maker = async (label: string): Promise<void> => {
      for (let index = 0; index < 120; index++) {
        const name = names.role(`${label}${index}`);
        await make(name);
        for (let time = 0; time < 3; time++)
          await few.batch(bareSession(name), [{ text: 'select 1', values: [] }]).catch((e: unknown) => refused.push(e));
        await few
          .transaction(bareSession(name), ({ send }) => send({ text: 'select 1', values: [] }))
          .catch((e: unknown) => refused.push(e));
      }
    };
    // The more roles there are, the longer Postgres takes to list them, and the more often one is missed.
    // No more at a time than there are connections: nobody is waited for longer than ten seconds.
    const before = Array.from({ length: 600 }, (_, index) => names.role(`before${index}`));
    const many = async (): Promise<void> => {
      for (let name = before.pop(); name !== undefined; name = before.pop()) await make(name);
    };
    await Promise.all(Array.from({ length: 6 }, many));
    await Promise.all(['a', 'b', 'c'].map(maker));
    await few.close();
    await db.ownerTransaction(async (client) => {
      for (const name of made) await client.query(`drop role "${name}"`);
    });
    expect(refused).toEqual([]);
    await expect(db.batch(bareSession(names.role('nobody')), [])).rejects.toThrow('does not exist');
  });

  test('keeps prepared statements up to a length per connection', { timeout: 120_000 }, async () => {
    const padding = 'x'.repeat(5000);
    for (let index = 0; index < 400; index++) await rows(`select ${index}, $1::text /* ${padding} */`, ['x']);
    const kept = await Promise.all(
      [1, 2].map(() => rows(`select count(*)::int, sum(length(statement))::int from pg_prepared_statements`)),
    );
    for (const found of kept) expect(Number(found?.[0]?.[1])).toBeLessThan(520_000);
    // Whichever of the two served them.
    expect(Math.max(...kept.map((found) => Number(found?.[0]?.[0])))).toBeGreaterThan(90);
  });

  test('lets a connection go that has met very many statements, and no other', { timeout: 300_000 }, async () => {
    const session = async () => (await rows('select pg_backend_pid()'))?.[0]?.[0];
    const first = await session();
    for (let index = 0; index < 4000; index++) await rows('select $1::text', ['the same']);
    expect(await session()).toBe(first);
    for (let index = 0; index < 5000; index++) await rows(`select ${index} as met, $1::text`, ['x']);
    expect(await session()).not.toBe(first);
  });

  test('the login role by itself reads nothing and may not change settings from SQL', async () => {
    await expect(db.batch(bareSession(`${role}_missing`), [{ text: 'select 1', values: [] }])).rejects.toThrow(
      'does not exist',
    );
    await expect(rows(`select set_config('armature.user_id', 'x', true)`)).rejects.toThrow('permission denied');
    await expect(rows('select * from armature.login')).rejects.toThrow('permission denied');
  });
});

describe('a transaction', () => {
  test('commits what was sent and rolls back when the work throws', async () => {
    await db.transaction(session, async ({ send }) => {
      await send({ text: 'insert into public.note values (7)', values: [] });
      await send({ text: 'insert into public.note values (8)', values: [] });
    });
    await expect(
      db.transaction(session, async ({ send }) => {
        await send({ text: 'insert into public.note values (9)', values: [] });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    expect(await rows('select count(*) from public.note where id > 6')).toEqual([['2']]);
  });

  test('a connection killed by the server takes nothing else down', async () => {
    const killed = db.transaction(session, async ({ send }) => {
      const [result] = await send({ text: 'select pg_backend_pid()', values: [] });
      await database.superuser.query('select pg_terminate_backend($1)', [result?.rows[0]?.[0]]);
      await send({ text: 'insert into public.note values (99)', values: [] });
    });
    await expect(killed).rejects.toSatisfy(isConnectionLost);
    expect(await rows('select count(*) from public.note where id = 99')).toEqual([['0']]);
  });
});

test('migrations go down and up again', async () => {
  const exists = async () => (await database.superuser.query(`select to_regclass('armature.tenant') as t`)).rows[0]?.t;
  await migrateDown(database.address, database.owner);
  expect(await exists()).toBeNull();
  await migrateUp(database.address, database.owner);
  expect(await exists()).toBe('armature.tenant');
});
