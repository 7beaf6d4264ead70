import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test as vitest, vi } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { bootstrap } from '#engine/db/bootstrap.ts';
import { sessionOf } from '#engine/db/database.ts';
import { Problem } from '#engine/problem.ts';
import { Writer } from '#engine/records/write/writer.ts';
import type { Scope } from '#engine/records/scope.ts';
import type { Lab } from '#tests/support/lab.ts';
import { makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { hasRedis, testRedis } from '#tests/support/redis.ts';
import type { RecordEvent } from './dispatcher.ts';
import { Dispatcher } from './dispatcher.ts';
import { Interrupted } from './interrupted.ts';
import type { Processor } from './jobs.ts';
import { createJobs } from './jobs.ts';
import { enqueueStatement } from './queue.ts';

// More than all the waits of a test together.
vi.setConfig({ testTimeout: 300_000 });
const database = await testDatabase();
const redis = hasRedis() ? await testRedis() : null;
const log = pino({ level: 'silent' });
let lab: Lab;
let chief: Scope;

beforeAll(async () => {
  lab = await makeLab(database);
  chief = await lab.person('chief');
});
afterAll(() => lab.close());

const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (await what()) return;
    await delay(50);
  }
  throw new Error('did not happen');
};
const run = (text: string) => lab.database.batch(sessionOf(chief.principal), [{ text, values: [] }]);
let by: 'postgres' | 'redis' = 'postgres';
const open = () =>
  createJobs({
    address: database.address,
    credentials: database.jobs,
    log,
    ...(by === 'redis' && redis ? { redis: { url: redis.url, prefix: 'test', database: lab.database } } : {}),
  });
/** What a start with another setting does. */
const handOutBy = async (backend: typeof by): Promise<void> => {
  by = backend;
  const { address, admin, secret } = database;
  const { database: name, ...server } = address;
  await bootstrap({ server, admin, adminDatabase: name, database: name, secret, jobsBy: backend });
};
const enqueue = (data: unknown, options: { attempts?: number; id?: string } = {}) =>
  lab.database.batch(sessionOf(chief.principal), [
    enqueueStatement({
      queue: 'imports',
      id: options.id ?? randomUUID(),
      name: 'test',
      data,
      backoff: 20,
      ...(options.attempts ? { attempts: options.attempts } : {}),
    }),
  ]);

describe.each(['postgres', 'redis'] as const)('jobs by %s', (backend) => {
  // Without a redis-server on this machine there is nothing to try.
  const test = backend === 'redis' && !redis ? vitest.skip : vitest;
  beforeAll(() => handOutBy(backend));
  afterAll(() => handOutBy('postgres'));

  test('run after the commit of the transaction that made them, and not after a rollback', async () => {
    const seen: unknown[] = [];
    const jobs = open();
    jobs.process('imports', async (data) => void seen.push(data));
    await jobs.start();
    await lab.database
      .transaction(sessionOf(chief.principal), async ({ send }) => {
        await send(enqueueStatement({ queue: 'imports', id: randomUUID(), name: 'test', data: 'undone' }));
        throw new Error('no');
      })
      .catch(() => {});
    await enqueue({ done: true });
    await until(() => seen.length > 0);
    expect(seen).toEqual([{ done: true }]);
    await jobs.close();
  });

  test('are tried again, and stay visible when they fail for good', async () => {
    const attempts: number[] = [];
    const id = randomUUID();
    let repaired = false;
    const processor: Processor = async (data, context) => {
      if (data === 'refused') throw new Problem('forbidden', 'You may not do this.');
      attempts.push(context.attempt);
      if (!repaired) throw new Error('boom');
    };
    const jobs = open();
    jobs.process('imports', processor);
    await jobs.start();
    await enqueue('flaky', { attempts: 3, id });
    await until(async () => (await jobs.failed('imports')).length === 1);
    expect(attempts).toEqual([1, 2, 3]);
    expect(await jobs.failed('imports')).toMatchObject([{ id, reason: 'boom', attempts: 3 }]);
    await enqueue('refused', { attempts: 3 });
    await until(async () => (await jobs.failed('imports')).length === 2);
    expect((await jobs.failed('imports')).find((job) => job.id !== id)).toMatchObject({
      attempts: 1,
      reason: 'You may not do this.',
    });
    repaired = true;
    await jobs.retry('imports', id);
    await until(() => attempts.length === 4);
    await until(async () => (await jobs.failed('imports')).length === 1);
    await expect(jobs.retry('imports', randomUUID())).rejects.toMatchObject({ code: 'not_found' });
    await jobs.close();
  });

  test('that a shutdown interrupts go on in the next process', async () => {
    const steps: string[] = [];
    const first = open();
    first.process('imports', async (_, { signal }) => {
      steps.push('begun');
      while (!signal.aborted) await delay(10);
      throw new Interrupted();
    });
    await first.start();
    await enqueue('long', { attempts: 1 });
    await until(() => steps.length === 1);
    await first.close();
    const second = open();
    second.process('imports', async (_, { attempt }) => void steps.push(`finished in try ${attempt}`));
    await second.start();
    await until(() => steps.length === 2);
    expect(steps[1]).toBe('finished in try 1');
    await second.close();
  });

  test('a tenant’s role may neither look into the queue nor use one that does not exist', async () => {
    await expect(run('select * from bullmq.job')).rejects.toThrow('permission denied');
    await expect(run(`select bullmq.enqueue('other', '1', 'x', '{}'::jsonb)`)).rejects.toThrow('unknown queue');
  });
});

describe.skipIf(!redis)('with Redis, jobs', () => {
  const test = vitest;
  const table = async () =>
    (
      await database.superuser.query<{ id: string; failed: boolean }>(
        'select id, failed_at is not null as failed from armature.job order by made_at',
      )
    ).rows;
  /** As if the minute had passed after which a job is told again. */
  const aMinuteLater = () => database.superuser.query('update armature.job set told_at = null');

  test('outlive a Redis that was emptied, and one that was gone', async () => {
    await handOutBy('redis');
    await redis?.client.flushall();
    await database.superuser.query('delete from armature.job');
    const seen: unknown[] = [];
    let may = false;
    const jobs = open();
    jobs.process('imports', async (data) => {
      while (!may) await delay(10);
      seen.push(data);
    });
    await jobs.start();
    await enqueue('first');
    await enqueue('second');
    await until(async () => Number(await redis?.client.exists('test:jobs:imports:meta')) === 1);
    await redis?.kill();
    await enqueue('third');
    await redis?.start();
    may = true;
    await until(async () => {
      await aMinuteLater();
      await delay(100);
      return new Set(seen).size === 3;
    });
    expect(new Set(seen)).toEqual(new Set(['first', 'second', 'third']));
    await until(async () => (await table()).length === 0);
    await jobs.close();
  });

  test('that failed for good are kept, and not told again', async () => {
    const jobs = open();
    const id = randomUUID();
    let tries = 0;
    jobs.process('imports', async (_, context) => {
      // One of the test before may have been told twice.
      if (context.id !== id) return;
      tries += 1;
      throw new Error('boom');
    });
    await jobs.start();
    await enqueue('x', { attempts: 1, id });
    await until(async () => (await table()).some((row) => row.id === id && row.failed));
    await aMinuteLater();
    await delay(300);
    expect(tries).toBe(1);
    await jobs.close();
    await database.superuser.query('delete from armature.job');
  });

  test('go over to whoever hands them out after a restart, both ways', async () => {
    await handOutBy('postgres');
    await enqueue('before Redis');
    await handOutBy('redis');
    await enqueue('with Redis');
    const seen: unknown[] = [];
    const jobs = open();
    jobs.process('imports', async (data) => void seen.push(data));
    await jobs.start();
    await until(() => seen.length === 2);
    await jobs.close();
    await enqueue('after Redis');
    await handOutBy('postgres');
    expect(await table()).toEqual([]);
    const later = open();
    later.process('imports', async (data) => void seen.push(data));
    await later.start();
    await until(() => seen.length === 3);
    expect(new Set(seen)).toEqual(new Set(['before Redis', 'with Redis', 'after Redis']));
    await later.close();
  });
});

describe('the dispatcher', () => {
  const test = vitest;
  test('tells every change once, in order of commit, and no data', async () => {
    const writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
    const project = lab.entity('project');
    const own = new Dispatcher({ database: lab.database, log, consumer: null });
    const shared = [1, 2].map(() => new Dispatcher({ database: lab.database, log, consumer: 'test' }));
    const seen: RecordEvent[][] = [[], []];
    own.subscribe((events) => void seen[0]?.push(...events));
    for (const dispatcher of shared) dispatcher.subscribe((events) => void seen[1]?.push(...events));
    await Promise.all([own, ...shared].map((dispatcher) => dispatcher.start()));

    const { id = '' } = await writer.create(chief, project, { name: 'a' });
    await writer.update(chief, project, id, { name: 'b' });
    await writer.remove(chief, project, id);
    await writer.restore(chief, project, id);
    // Those of before come as well, where somebody's transaction held them back.
    const ours = () => seen.map((events) => events.filter(({ recordId }) => recordId === id));
    await until(() => ours().every((events) => events.length >= 4));
    for (const events of ours()) {
      expect(events.map(({ operation, version, recordId }) => [operation, version, recordId])).toEqual([
        ['create', 1, id],
        ['update', 2, id],
        ['delete', 3, id],
        ['restore', 4, id],
      ]);
      expect(events[0]).toMatchObject({ tenant: 'acme', entityId: project.id, actor: chief.principal.userId });
    }
    await Promise.all([own, ...shared].map((dispatcher) => dispatcher.stop()));
  });

  test('does not pass over a transaction that began earlier and commits later', async () => {
    const writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
    const site = lab.entity('site');
    const dispatcher = new Dispatcher({ database: lab.database, log, consumer: null });
    const seen: string[] = [];
    dispatcher.subscribe((events) => void seen.push(...events.map(({ recordId }) => recordId)));
    await dispatcher.start();
    await dispatcher.stop();
    const slow = randomUUID();
    let quick: string | undefined;
    await lab.database.transaction(sessionOf(chief.principal), async ({ send }) => {
      await send({
        text: `insert into "${lab.tenant.names.schema}".lab_sites (id, name) values ($1::uuid, $2::text)`,
        values: [slow, slow],
      });
      quick = (await writer.create(chief, site, { name: randomUUID() })).id;
      await dispatcher.drain();
      expect(seen).not.toContain(quick);
    });
    // Transactions of other test files hold events back as long as they are open, those of the tests before among them.
    await until(async () => {
      await dispatcher.drain();
      return seen.includes(quick ?? '');
    });
    expect(seen.filter((id) => id === slow || id === quick)).toEqual([slow, quick]);
  });

  test('what a subscriber refuses comes again', async () => {
    const writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
    const dispatcher = new Dispatcher({ database: lab.database, log, consumer: 'stubborn' });
    let refused = false;
    const seen: string[] = [];
    dispatcher.subscribe((events) => {
      if (!refused) {
        refused = true;
        throw new Error('not now');
      }
      seen.push(...events.map(({ recordId }) => recordId));
    });
    await dispatcher.start();
    await dispatcher.stop();
    const { id } = await writer.create(chief, lab.entity('site'), { name: randomUUID() });
    // Transactions of other test files hold the events back as long as they are open.
    await until(async () => {
      await dispatcher.drain().catch(() => {});
      return seen.includes(id ?? '');
    });
    expect(seen.filter((one) => one === id)).toEqual([id]);
    expect(refused).toBe(true);
  });
});
