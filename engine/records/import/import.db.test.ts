import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock, systemIds } from '#engine/clock.ts';
import { Interrupted } from '#engine/jobs/interrupted.ts';
import { createJobs } from '#engine/jobs/jobs.ts';
import type { Entity } from '#engine/model/model.ts';
import { Problem } from '#engine/problem.ts';
import type { Lab } from '#tests/support/lab.ts';
import { makeLab } from '#tests/support/lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import type { Scope } from '../scope.ts';
import { Writer } from '../write/writer.ts';
import { Importer } from './importer.ts';

const database = await testDatabase();
let lab: Lab;
let importer: Importer;
let writer: Writer;
let chief: Scope;
let schema: string;
const people = new Map<string, Scope>();

const join = async (...roles: string[]): Promise<Scope> => {
  const scope = await lab.person(...roles);
  people.set(scope.principal.userId ?? '', scope);
  return scope;
};

beforeAll(async () => {
  lab = await makeLab(database);
  schema = lab.tenant.names.schema;
  writer = new Writer({ database: lab.database, ids: systemIds, clock: systemClock });
  importer = new Importer({
    database: lab.database,
    ids: systemIds,
    models: { get: async () => ({ tenant: lab.tenant, model: lab.model }), known: () => null },
    principalOf: async (_, user) => people.get(user)?.principal ?? null,
  });
  chief = await join('chief');
});
afterAll(() => lab.close());

const project = () => lab.entity('project');
const upload = (scope: Scope, csv: string, entity: Entity = project()) =>
  importer.upload(scope, entity, { name: 'file.csv', stream: Readable.from([Buffer.from(csv)]) });
const going = { signal: new AbortController().signal, last: true };
const run = (scope: Scope, id: string, context: { signal: AbortSignal; last: boolean } = going) =>
  importer.run({ tenant: 'acme', import: id, user: scope.principal.userId }, context);
/** All of it, from the file to the result. */
const bring = async (scope: Scope, csv: string, settings: Record<string, unknown> = {}, entity: Entity = project()) => {
  const { id } = await upload(scope, csv, entity);
  await importer.configure(scope, entity, id, settings);
  await importer.start(scope, entity, id);
  await run(scope, id);
  return importer.status(scope, entity, id);
};
const stored = (marker: string) =>
  lab.look(`select * from ${schema}.lab_projects where reason = $1 order by name`, [marker]);
const byText = (a: unknown, b: unknown) => (String(a) < String(b) ? -1 : 1);
const refusal = async (work: Promise<unknown>): Promise<Problem> => {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error ?? new Error('was not refused');
  return error;
};

describe('an upload', () => {
  test('says what the columns probably are, and shows the first rows', async () => {
    const result = await upload(
      chief,
      'NAME;Starts on;budget ;Stage;Twice;foo;Budget Currency\nx;1.2.2026;5;planned;1;;\ny;;;;;;\n',
    );
    expect(result).toMatchObject({
      columns: ['NAME', 'Starts on', 'budget', 'Stage', 'Twice', 'foo', 'Budget Currency'],
      mapping: { NAME: 'name', 'Starts on': 'starts_on', budget: 'budget', Stage: 'stage', Twice: null, foo: null },
      rows: 2,
    });
    expect(result.sample).toEqual([
      ['x', '1.2.2026', '5', 'planned', '1', '', ''],
      ['y', '', '', '', '', '', ''],
    ]);
    expect(await importer.status(chief, project(), result.id)).toMatchObject({
      state: 'uploaded',
      total: 2,
      processed: 0,
    });
  });

  test('that cannot be read leaves nothing', async () => {
    const before = await lab.look('select count(*) from armature.import');
    expect((await refusal(upload(chief, ''))).message).toBe('The file is empty: there is nothing to import.');
    expect((await refusal(upload(chief, 'a,b\n1,"2'))).code).toBe('invalid_import');
    expect(await lab.look('select count(*) from armature.import')).toEqual(before);
  });

  test('needs the right to import', async () => {
    expect((await refusal(upload(await join('looker'), 'name\nx\n'))).code).toBe('forbidden');
    expect((await refusal(upload(await join('member'), 'name\nx\n'))).code).toBe('not_found');
  });

  test('belongs to whoever made it', async () => {
    const { id } = await upload(chief, 'name\nx\n');
    const other = await join('chief');
    expect((await refusal(importer.status(other, project(), id))).code).toBe('not_found');
    expect((await refusal(importer.start(other, project(), id))).code).toBe('not_found');
    expect((await refusal(importer.status(chief, lab.entity('site'), id))).code).toBe('not_found');
    expect((await refusal(importer.status(chief, project(), 'x'))).code).toBe('not_found');
  });
});

describe('the settings', () => {
  test('are checked, all of them', async () => {
    const { id } = await upload(chief, 'a,b,c\n1,2,3\n');
    const problem = await refusal(
      importer.configure(chief, project(), id, {
        mapping: { a: { field: 'nme' }, b: { field: 'name', by: 'x' }, c: 'name', d: 'code' },
        upsertBy: ['name'],
        dryRun: 1,
        dateOrder: 'x',
        wrong: 1,
      }),
    );
    expect(problem.errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted(byText)).toEqual([
      '/dateOrder choice',
      '/dryRun wrong_type',
      '/mapping/a/field unknown_field',
      '/mapping/b/by unknown_field',
      '/mapping/c/field duplicate',
      '/mapping/d unknown_column',
      '/upsertBy not_unique',
      '/wrong unknown_field',
    ]);
    expect((await refusal(importer.start(chief, project(), id))).errors[0]?.code).toBe('unmapped');
  });
});

describe('a run', () => {
  test('stores the rows, with references, users, money, dates and repaired values', async () => {
    const marker = randomUUID();
    const site = `Site ${marker}`;
    await writer.create(chief, lab.entity('site'), { name: site });
    const csv = [
      'name,where,leader,budget,starts_on,kind,words,urgent,reason',
      `"One, two",${site},${chief.principal.email},"USD 1,200.50",31.1.2026,Outer Space,"a; b",yes,${marker}`,
      `Two,${site.toUpperCase()},,,,,,,${marker}`,
      `Three,GTXPro,,7,,n/a,,no,${marker}`,
    ].join('\n');
    const status = await bring(chief, csv, {
      mapping: {
        name: 'name',
        where: { field: 'site', rule: { map: { GTXPro: site } } },
        leader: { field: 'leader', by: 'email' },
        budget: 'budget',
        starts_on: 'starts_on',
        kind: { field: 'kind', rule: { empty: ['n/a'] } },
        words: 'words',
        urgent: 'urgent',
        reason: 'reason',
      },
    });
    expect(status).toMatchObject({
      state: 'done',
      total: 3,
      processed: 3,
      created: 3,
      updated: 0,
      failed: 0,
      errors: [],
    });
    const rows = await stored(marker);
    expect(
      rows.map(({ name, budget, budget_currency, kind, urgent, effort }) => [
        name,
        budget,
        budget_currency,
        kind,
        urgent,
        effort,
      ]),
    ).toEqual([
      ['One, two', '1200.50', 'USD', 'outer', true, '1'],
      ['Three', '7.00', 'EUR', null, false, '1'],
      ['Two', null, 'EUR', null, null, '1'],
    ]);
    expect(rows[0]).toMatchObject({
      words: ['a', 'b'],
      leader: chief.principal.userId,
      owner: chief.principal.userId,
      created_by: chief.principal.userId,
    });
    expect(new Set(rows.map(({ site }) => site)).size).toBe(1);
  });

  test('keeps exactly the bad rows out, and says why', async () => {
    const marker = randomUUID();
    const code = randomUUID().slice(0, 8);
    await writer.create(chief, project(), { name: 'x', code });
    const lines = Array.from({ length: 700 }, (_, index) => `n${index},${index},,${marker}`);
    lines[3] = `,3,,${marker}`;
    lines[10] = `n10,abc,,${marker}`;
    lines[499] = `n499,1,${code},${marker}`;
    lines[600] = `n600,1,${code}-b,${marker}`;
    lines[650] = `n650,5000,,${marker}`;
    lines[699] = `n699,1,${code}-b,${marker}`;
    const status = await bring(chief, `name,effort,code,reason\n${lines.join('\n')}\n`);
    expect(status).toMatchObject({ state: 'done', total: 700, processed: 700, created: 695, failed: 5 });
    expect(status.errors).toEqual([
      { line: 5, message: 'Name is required.' },
      { line: 12, message: 'Effort: “abc” is not a number.' },
      { line: 501, message: 'Code is already used by another record.' },
      { line: 652, message: 'Effort: At most 1000.' },
      { line: 701, message: 'Code is already used by another record.' },
    ]);
    expect(await stored(marker)).toHaveLength(695);
  });

  test('names what is missing, ambiguous, hidden or too much', async () => {
    const marker = randomUUID();
    const worker = await join('worker');
    await writer.create(chief, lab.entity('site'), { name: `Hidden ${marker}` });
    const csv = `name,site,leader,reason\na,Hidden ${marker},,${marker}\nb,Nowhere,,${marker}\nc,,nobody@acme.test,${marker}\nd,,,${marker},extra\ne,,,${marker}\n`;
    const status = await bring(worker, csv);
    expect(status).toMatchObject({ created: 1, failed: 4 });
    expect(status.errors.map(({ message }) => message)).toEqual([
      `Site: there is no Site “Hidden ${marker}”, or none that you may see.`,
      'Site: there is no Site “Nowhere”, or none that you may see.',
      'Leader: there is no User “nobody@acme.test”, or none that you may see.',
      'The row has 5 cells, the header has 4.',
    ]);
  });

  test('gives no record to somebody who is no longer active, and says so of its row', async () => {
    const gone = await join('worker');
    await lab.look(`update ${schema}.core_users set active = false where id = $1`, [gone.principal.userId]);
    const marker = randomUUID();
    const status = await bring(chief, `name,owner,reason\na,${gone.principal.email},${marker}\nb,,${marker}\n`);
    expect(status).toMatchObject({
      created: 1,
      failed: 1,
      errors: [{ line: 2, message: 'Only somebody who is active can own records.' }],
    });
    expect(await stored(marker)).toHaveLength(1);
  });

  test('acts with the rights of the user as they are when it begins', async () => {
    const worker = await join('worker');
    const other = await join('member');
    expect((await refusal(bring(worker, 'name,secret\na,b\n', { mapping: { secret: 'secret' } }))).code).toBe(
      'invalid',
    );
    const status = await bring(worker, `name,owner\na,${worker.principal.email}\nb,${other.principal.email}\n`);
    expect(status).toMatchObject({
      created: 1,
      failed: 1,
      errors: [{ line: 3, message: 'You may not create a record like this.' }],
    });
    const { id } = await upload(worker, 'name\na\n');
    await importer.start(worker, project(), id);
    people.set(worker.principal.userId ?? '', {
      ...worker,
      principal: { ...worker.principal, roles: ['looker'], dbRole: lab.tenant.names.role('looker') },
    });
    expect((await refusal(run(worker, id))).code).toBe('forbidden');
    expect(await importer.status(worker, project(), id)).toMatchObject({
      state: 'failed',
      problem: { code: 'forbidden' },
      created: 0,
    });
  });

  test('updates what it finds by a unique key, also what it has just made', async () => {
    const marker = randomUUID();
    const code = randomUUID().slice(0, 8);
    await writer.create(chief, project(), { name: 'old', code, reason: marker, budget: '5.00', effort: 7 });
    const csv = `name,code,budget,reason,stage\nnew,${code},,${marker},running\nfresh,${code}2,1,${marker},\nfresh again,${code}2,2,${marker},\nno key,,3,${marker},\n`;
    const status = await bring(chief, csv, { upsertBy: ['code'] });
    expect(status).toMatchObject({ created: 2, updated: 2, failed: 0 });
    const rows = await stored(marker);
    expect(
      rows.map(({ name, code: key, budget, effort, version, stage }) => [
        name,
        key,
        budget,
        effort,
        Number(version),
        stage,
      ]),
    ).toEqual([
      ['fresh again', `${code}2`, '2.00', '1', 2, 'planned'],
      ['new', code, '5.00', '7', 2, 'planned'],
      ['no key', null, '3.00', '1', 1, 'planned'],
    ]);
  });

  test('finds them by several fields together, one of them called line', async () => {
    const seat = lab.entity('seat');
    const csv = (guest: string) => `line,place,guest\nZ,1,${guest}\nZ,2,${guest}\n`;
    const by = { upsertBy: ['line', 'place'] };
    expect(await bring(chief, csv('Ada'), by, seat)).toMatchObject({ created: 2, updated: 0 });
    expect(await bring(chief, csv('Bob'), by, seat)).toMatchObject({ created: 0, updated: 2 });
  });

  test('for trial leaves nothing, tells the same, and can be done for real', async () => {
    const marker = randomUUID();
    const csv = `name,effort,code,reason\na,1,${marker.slice(0, 8)},${marker}\nb,x,,${marker}\nc,1,${marker.slice(0, 8)},${marker}\n`;
    const { id } = await upload(chief, csv);
    await importer.configure(chief, project(), id, { dryRun: true });
    await importer.start(chief, project(), id);
    await run(chief, id);
    const trial = await importer.status(chief, project(), id);
    expect(trial).toMatchObject({ state: 'done', dryRun: true, processed: 3, created: 1, failed: 2 });
    expect(await stored(marker)).toEqual([]);
    expect(
      await lab.look(
        'select from armature.outbox o where o.record_id in (select id from armature.import where id = $1)',
        [id],
      ),
    ).toEqual([]);
    expect(await importer.configure(chief, project(), id, { dryRun: false })).toMatchObject({
      state: 'uploaded',
      processed: 0,
    });
    await importer.start(chief, project(), id);
    await run(chief, id);
    expect(await importer.status(chief, project(), id)).toMatchObject({
      ...trial,
      dryRun: false,
      settings: { dryRun: false },
    });
    expect(await stored(marker)).toHaveLength(1);
    expect((await refusal(importer.start(chief, project(), id))).code).toBe('conflict');
    expect((await refusal(importer.configure(chief, project(), id, { dryRun: true }))).code).toBe('conflict');
  });

  test('that is broken off goes on where it stopped, and does nothing twice', async () => {
    const marker = randomUUID();
    const rows = 6000;
    const { id } = await upload(
      chief,
      `name,reason\n${Array.from({ length: rows }, (_, index) => `n${index},${marker}`).join('\n')}\n`,
    );
    await importer.start(chief, project(), id);
    const stop = new AbortController();
    const transaction = lab.database.transaction.bind(lab.database);
    // Asked to stop when the first rows are there.
    vi.spyOn(lab.database, 'transaction').mockImplementationOnce(async (...given) => {
      const written = await transaction(...given);
      stop.abort();
      return written;
    });
    await expect(run(chief, id, { signal: stop.signal, last: false })).rejects.toBeInstanceOf(Interrupted);
    const half = await importer.status(chief, project(), id);
    expect(half).toMatchObject({ state: 'running', processed: 1000 });
    expect((await stored(marker)).length).toBe(half.created);
    // Two at once, as when a worker was thought dead.
    await Promise.all([run(chief, id), run(chief, id)]);
    expect(await importer.status(chief, project(), id)).toMatchObject({
      state: 'done',
      processed: rows,
      created: rows,
    });
    expect(await stored(marker)).toHaveLength(rows);
    await run(chief, id);
    expect(await stored(marker)).toHaveLength(rows);
  });

  test('that somebody else has ended meanwhile is left as it is', async () => {
    const marker = randomUUID();
    const { id } = await upload(chief, `name,reason\nx,${marker}\n`);
    await importer.start(chief, project(), id);
    const ended = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const transaction = lab.database.transaction.bind(lab.database);
    // The first worker has its rows in hand when the second begins, and comes to write them when all is done.
    vi.spyOn(lab.database, 'transaction').mockImplementationOnce(async (...given) => {
      held.resolve();
      await ended.promise;
      return transaction(...given);
    });
    const late = run(chief, id);
    await held.promise;
    await run(chief, id);
    const done = await importer.status(chief, project(), id);
    ended.resolve();
    await late;
    expect(done).toMatchObject({ state: 'done', created: 1 });
    expect(await importer.status(chief, project(), id)).toEqual(done);
    expect(await stored(marker)).toHaveLength(1);
  });

  test('for trial, by two workers at once, counts every row once', async () => {
    const { id } = await upload(
      chief,
      `name,effort\n${Array.from({ length: 2500 }, (_, index) => `n${index},${index % 2 ? 1 : 'x'}`).join('\n')}\n`,
    );
    await importer.configure(chief, project(), id, { dryRun: true });
    await importer.start(chief, project(), id);
    await Promise.all([run(chief, id), run(chief, id)]);
    const told = { state: 'done', processed: 2500, created: 1250, failed: 1250 };
    expect(await importer.status(chief, project(), id)).toMatchObject(told);
  });

  test('gives back the rows that failed as a file', async () => {
    const { id } = await upload(chief, 'name,effort\n=cmd(),x\nok,1\n"a, b",-\n');
    await importer.start(chief, project(), id);
    await run(chief, id);
    const chunks: string[] = [];
    for await (const chunk of await importer.errors(chief, project(), id)) chunks.push(String(chunk));
    expect(chunks.join('')).toBe(
      '\uFEFFname,effort,line,message\r\n\'=cmd(),x,2,Effort: “x” is not a number.\r\n"a, b",\'-,4,Effort: “-” is not a number.\r\n',
    );
  });
});

test('through the queue, 8,800 rows with references', { timeout: 300_000 }, async () => {
  const marker = randomUUID();
  const sites = Array.from({ length: 85 }, (_, index) => `Site ${index} ${marker}`);
  await writer.create(
    chief,
    lab.entity('site'),
    sites.map((name) => ({ name })),
  );
  const rows = Array.from({ length: 8800 }, (_, index) =>
    [
      `n${index}`,
      `${marker.slice(0, 8)}${index}`,
      sites[index % 85],
      chief.principal.email,
      '2026-03-01',
      '1054',
      index % 2 ? 'planned' : 'running',
      marker,
    ].join(','),
  );
  const { id } = await upload(chief, `name,code,site,leader,starts_on,budget,stage,reason\n${rows.join('\n')}\n`);
  const jobs = createJobs({ address: database.address, credentials: database.jobs, log: pino({ level: 'silent' }) });
  importer.work(jobs);
  await jobs.start();
  await importer.start(chief, project(), id);
  const state = async () => (await importer.status(chief, project(), id)).state;
  await expect.poll(state, { timeout: 240_000 }).toMatch(/done|failed/);
  await jobs.close();
  expect(await importer.status(chief, project(), id)).toMatchObject({ problem: null, created: 8800, failed: 0 });
});
