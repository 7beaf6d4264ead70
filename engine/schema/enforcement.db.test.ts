/** What the published database enforces and keeps by itself, whatever the engine above it does. */
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { isDatabaseError } from '#engine/db/database-error.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { type Organisation, schemaLab } from '#tests/support/schema-lab.ts';
import { constraintTarget } from './constraint-target.ts';
import type { TenantDocument } from './source.ts';

const postgres = await testDatabase();
const lab = schemaLab(postgres);

const role = (key: string): TenantDocument => ({ kind: 'role', key, label: key, inherits: ['member'] });
const permission = (role: string, entity: string, actions: readonly string[], more: object = {}): TenantDocument => ({
  kind: 'permission',
  role,
  entity,
  actions,
  ...more,
});
const draft = { fact: 'stage', operator: 'equal', value: 'draft' };
const documents: readonly TenantDocument[] = [
  ...['chief', 'worker', 'eraser', 'pricer', 'reader', 'clerk', 'auditor', 'noter', 'sender'].map(role),
  {
    kind: 'lifecycle',
    key: 'progress',
    label: 'Progress',
    initial: 'draft',
    createIn: ['draft', 'sent'],
    states: [{ key: 'draft' }, { key: 'sent' }, { key: 'paid' }],
    transitions: [
      { key: 'send', label: 'Send', from: ['draft'], to: 'sent' },
      { key: 'pay', label: 'Pay', from: ['sent'], to: 'paid', sets: { paid_on: { today: true } } },
    ],
  },
  {
    kind: 'entity',
    key: 'bill',
    plural: 'bills',
    label: 'Bill',
    title: '{name}',
    owner: true,
    softDelete: true,
    history: true,
    fields: [
      { key: 'name', type: 'text', required: true, max: 20 },
      { key: 'number', type: 'sequence', prefix: 'B-', digits: 4 },
      { key: 'code', type: 'text', unique: true },
      { key: 'stage', type: 'state', lifecycle: 'progress' },
      { key: 'price', type: 'decimal', scale: 2 },
      { key: 'secret', type: 'text' },
      { key: 'paid_on', type: 'date' },
      { key: 'client', type: 'reference', to: 'client' },
      { key: 'rows', type: 'children', of: 'row' },
    ],
  },
  {
    kind: 'entity',
    key: 'row',
    plural: 'rows',
    label: 'Row',
    title: '{text}',
    parent: 'bill',
    history: true,
    fields: [
      { key: 'bill', type: 'reference', to: 'bill', required: true },
      { key: 'text', type: 'text' },
    ],
  },
  {
    kind: 'entity',
    key: 'client',
    plural: 'clients',
    label: 'Client',
    title: '{name}',
    fields: [
      { key: 'name', type: 'text', required: true },
      { key: 'country', type: 'text' },
    ],
  },
  permission('chief', 'bill', ['create', 'read', 'update', 'delete']),
  permission('chief', 'client', ['create', 'read', 'update', 'delete']),
  // Changes all of its own, and reads all but the secret of everybody's drafts.
  permission('worker', 'bill', ['create', 'read', 'update'], { conditions: { owner: 'self' } }),
  permission('worker', 'bill', ['read'], { key: 'drafts', condition: draft, fields: { read: { except: ['secret'] } } }),
  // Deletes drafts of everybody.
  permission('eraser', 'bill', ['read']),
  permission('eraser', 'bill', ['delete'], { key: 'drafts', condition: draft }),
  // Changes prices of drafts, and names of its own.
  permission('pricer', 'bill', ['read']),
  permission('pricer', 'bill', ['update'], {
    key: 'prices',
    condition: draft,
    fields: { update: { only: ['price'] } },
    transitions: [],
  }),
  permission('pricer', 'bill', ['update'], {
    key: 'names',
    conditions: { owner: 'self' },
    fields: { update: { only: ['name'] } },
    transitions: [],
  }),
  // Takes every step, and changes nothing but names besides.
  permission('noter', 'bill', ['read', 'update'], { fields: { update: { only: ['name'] } } }),
  // Changes every field, and takes one step.
  permission('sender', 'bill', ['read', 'update'], { transitions: ['send'] }),
  permission('reader', 'bill', ['read'], { fields: { read: { only: ['name', 'rows'] } }, condition: draft }),
  // Looks at the country of a client it may not read.
  permission('clerk', 'bill', ['read'], {
    condition: { fact: 'client', path: '$.country', operator: 'equal', value: 'DE' },
  }),
  permission('auditor', 'bill', ['read'], { conditions: { owner: 'team' } }),
];

let office: Organisation;
const look = async (sql: string, ...values: unknown[]) => (await postgres.superuser.query(sql, values)).rows;

beforeAll(async () => {
  office = await lab.organisation('office', { documents });
});

async function errorOf(
  work: Promise<unknown>,
): Promise<{ readonly code: string; readonly constraint: string | undefined }> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!isDatabaseError(error)) throw new Error('not refused by the database', { cause: error });
  return { code: error.code, constraint: error.constraint };
}

describe('a record', () => {
  test('gets version, times, people, owner, state and number by itself', async () => {
    const worker = await office.person('worker');
    const id = await office.insert(worker, 'custom_bills', { name: 'One' });
    const [first] = await office.sql(
      worker,
      `select version, created_by, updated_by, owner, stage, number, created_at = updated_at from $custom_bills where id = $1`,
      [id],
    );
    expect(first).toEqual([
      '1',
      worker.userId,
      worker.userId,
      worker.userId,
      'draft',
      expect.stringMatching(/^B-\d{4}$/),
      't',
    ]);
    const chief = await office.person('chief');
    await office.update(chief, 'custom_bills', id, { name: 'Two' });
    expect(
      await office.sql(worker, 'select version, created_by, updated_by, owner from $custom_bills where id = $1', [id]),
    ).toEqual([['2', worker.userId, chief.userId, worker.userId]]);
    expect((await errorOf(office.update(chief, 'custom_bills', id, { version: 9 }))).code).toBe('42501');
    expect((await errorOf(office.insert(chief, 'custom_bills', { name: 'x', created_by: chief.userId }))).code).toBe(
      '42501',
    );
  });

  test('is refused by constraints that lead back to the field', async () => {
    const chief = await office.person('chief');
    const { model } = await lab.models.get('office');
    const target = async (work: Promise<unknown>) => {
      const found = constraintTarget(model, (await errorOf(work)).constraint ?? '');
      return found && [found.kind, found.entity.name, ...found.fields];
    };
    const id = await office.insert(chief, 'custom_bills', { name: 'a', code: 'same' });
    expect(await target(office.insert(chief, 'custom_bills', { name: 'b', code: 'same' }))).toEqual([
      'unique',
      'custom.bill',
      'code',
    ]);
    expect(await target(office.insert(chief, 'custom_bills', { name: 'x'.repeat(21) }))).toEqual([
      'check',
      'custom.bill',
      'name',
    ]);
    expect(await target(office.insert(chief, 'custom_bills', { name: 'b', client: randomUUID() }))).toEqual([
      'reference',
      'custom.bill',
      'client',
    ]);
    expect(await target(office.insert(chief, 'custom_bills', { id, name: 'b' }))).toEqual([
      'primary',
      'custom.bill',
      'id',
    ]);
    expect(await target(office.insert(chief, 'custom_bills', { name: 'b', stage: 'paid' }))).toEqual([
      'lifecycle',
      'custom.bill',
      'stage',
    ]);
    // What was deleted no longer takes a value.
    await office.update(chief, 'custom_bills', id, { deleted_at: '2026-01-01T00:00:00Z' });
    await office.insert(chief, 'custom_bills', { name: 'b', code: 'same' });
  });

  test('moves through its lifecycle and not beside it', async () => {
    const worker = await office.person('worker');
    const id = await office.insert(worker, 'custom_bills', { name: 'One' });
    const refused = await errorOf(office.update(worker, 'custom_bills', id, { stage: 'paid' }));
    expect(refused).toEqual({ code: 'AR001', constraint: `lc_${(await office.field('custom.bill', 'stage')).id}` });
    await office.update(worker, 'custom_bills', id, { stage: 'sent' });
    await office.update(worker, 'custom_bills', id, { stage: 'paid', paid_on: '2026-01-31' });
    expect((await errorOf(office.update(worker, 'custom_bills', id, { stage: 'draft' }))).code).toBe('AR001');
    await office.update(worker, 'custom_bills', id, { name: 'Still mine' });
  });
});

describe('permissions', () => {
  test('are read and changed row by row, and never added up to more than each of them gives', async () => {
    const [worker, pricer, chief] = [
      await office.person('worker'),
      await office.person('pricer'),
      await office.person('chief'),
    ];
    const theirs = await office.insert(chief, 'custom_bills', { name: 'theirs' });
    const mine = await office.insert(await office.person(), 'custom_bills', { name: 'mine', stage: 'sent' });
    await office.sql(await office.person(), 'update $custom_bills set owner = $2 where id = $1', [mine, pricer.userId]);
    // Prices of drafts, names of its own: neither the other way round.
    expect(await office.update(pricer, 'custom_bills', theirs, { price: '1.00' })).toBe(1);
    expect(await office.update(pricer, 'custom_bills', mine, { name: 'renamed' })).toBe(1);
    expect((await errorOf(office.update(pricer, 'custom_bills', theirs, { name: 'stolen' }))).code).toBe('42501');
    expect((await errorOf(office.update(pricer, 'custom_bills', mine, { price: '2.00' }))).code).toBe('42501');
    expect(await office.update(worker, 'custom_bills', theirs, { name: 'stolen' })).toBe(0);
    await office.update(chief, 'custom_bills', mine, { price: '3.00', name: 'as you like' });
  });

  test('to delete are not permissions to change, with one role or with several', async () => {
    const [eraser, both, chief] = [
      await office.person('eraser'),
      await office.person('worker', 'eraser'),
      await office.person('chief'),
    ];
    const gone = { deleted_at: '2026-01-01T00:00:00Z' };
    const id = await office.insert(chief, 'custom_bills', { name: 'theirs' });
    expect((await errorOf(office.update(both, 'custom_bills', id, { name: 'stolen' }))).code).toBe('42501');
    expect((await errorOf(office.update(eraser, 'custom_bills', id, { name: 'stolen' }))).code).toBe('42501');
    expect(await office.update(both, 'custom_bills', id, gone)).toBe(1);
    const own = await office.insert(both, 'custom_bills', { name: 'mine', stage: 'sent' });
    expect((await errorOf(office.update(both, 'custom_bills', own, gone))).code).toBe('42501');
    expect(await office.update(both, 'custom_bills', own, { name: 'mine indeed' })).toBe(1);
    expect((await errorOf(office.sql(chief, 'delete from $custom_bills'))).code).toBe('42501');
  });

  test('to take a step reach what it sets with that step alone', async () => {
    const [noter, sender, chief] = [
      await office.person('noter'),
      await office.person('sender'),
      await office.person('chief'),
    ];
    const id = await office.insert(chief, 'custom_bills', { name: 'theirs' });
    const day = { paid_on: '2026-01-31' };
    expect((await errorOf(office.update(noter, 'custom_bills', id, day))).code).toBe('42501');
    // A step, and not the one that sets the day.
    expect((await errorOf(office.update(noter, 'custom_bills', id, { stage: 'sent', ...day }))).code).toBe('42501');
    expect(await office.update(noter, 'custom_bills', id, { stage: 'sent', name: 'noted' })).toBe(1);
    expect((await errorOf(office.update(sender, 'custom_bills', id, { stage: 'paid', ...day }))).code).toBe('42501');
    expect(await office.update(sender, 'custom_bills', id, day)).toBe(1);
    expect(await office.update(noter, 'custom_bills', id, { stage: 'paid', paid_on: '2026-02-01' })).toBe(1);
    const other = await office.insert(chief, 'custom_bills', { name: 'theirs' });
    expect(await office.update(sender, 'custom_bills', other, { stage: 'sent' })).toBe(1);
  });

  test('on a record hold for its parts', async () => {
    const [worker, other, reader] = [
      await office.person('worker'),
      await office.person('worker'),
      await office.person('reader'),
    ];
    const bill = await office.insert(worker, 'custom_bills', { name: 'mine', stage: 'sent' });
    const part = await office.insert(worker, 'custom_rows', { bill, text: 'a' });
    const parts = async (session: Parameters<Organisation['sql']>[0]) =>
      office.sql(session, 'select text from $custom_rows where id = $1', [part]);
    expect(await parts(worker)).toEqual([['a']]);
    expect(await parts(other)).toEqual([]);
    expect(await parts(reader)).toEqual([]);
    expect((await errorOf(office.insert(other, 'custom_rows', { bill, text: 'b' }))).code).toBe('42501');
    expect((await errorOf(office.insert(reader, 'custom_rows', { bill, text: 'b' }))).code).toBe('42501');
    expect(await office.update(other, 'custom_rows', part, { text: 'c' })).toBe(0);
    expect(await office.sql(worker, 'delete from $custom_rows where id = $1 returning id', [part])).toHaveLength(1);
  });

  test('that look at what is hidden find nothing and break nothing', async () => {
    const [chief, clerk, auditor] = [
      await office.person('chief'),
      await office.person('clerk'),
      await office.person('auditor'),
    ];
    const client = await office.insert(chief, 'custom_clients', { name: 'c', country: 'DE' });
    const bill = await office.insert(chief, 'custom_bills', { name: 'b', client });
    expect(await office.sql(clerk, 'select name from $custom_bills where id = $1', [bill])).toEqual([]);
    expect((await errorOf(office.sql(clerk, 'select name from $custom_clients'))).code).toBe('42501');
    expect(await office.sql(auditor, 'select name from $custom_bills where id = $1', [bill])).toEqual([]);
  });

  test('on some fields keep the others out of reach, by value and by filter', async () => {
    const reader = await office.person('reader');
    await office.sql(reader, 'select id, version, name from $custom_bills');
    for (const text of [
      'select secret from $custom_bills',
      'select name from $custom_bills where secret is null',
      'select * from $custom_bills',
    ]) {
      expect((await errorOf(office.sql(reader, text))).code).toBe('42501');
    }
  });
});

describe('the history', () => {
  test('has one row for each field that changed, as the API writes values, and the outbox one for each record', async () => {
    const chief = await office.person('chief');
    const id = await office.insert(chief, 'custom_bills', { name: 'One', price: '10.00' });
    await office.update(chief, 'custom_bills', id, { name: 'Two', price: '10.50' });
    await office.update(chief, 'custom_bills', id, { name: 'Two' });
    await office.update(chief, 'custom_bills', id, { deleted_at: '2026-01-01T00:00:00Z' });
    await office.update(chief, 'custom_bills', id, { deleted_at: null });
    const { fieldsById, id: entity } = await office.entity('custom.bill');
    const rows = await look(
      `select version, field_id, old, new, actor from t_office.h_custom_bills where record_id = $1 order by id`,
      id,
    );
    expect(
      rows
        .map((row) => [row.version, fieldsById.get(row.field_id)?.key, row.old, row.new, row.actor === chief.userId])
        .slice(0, 2),
    ).toEqual([
      [2, 'name', 'One', 'Two', true],
      [2, 'price', '10.00', '10.50', true],
    ]);
    expect(rows.map((row) => [row.version, fieldsById.get(row.field_id)?.key]).slice(2)).toEqual([
      [4, 'deleted_at'],
      [5, 'deleted_at'],
    ]);
    expect(
      await look(
        'select version, operation, tenant_id, actor from armature.outbox where record_id = $1 and entity_id = $2 order by id',
        id,
        entity,
      ),
    ).toEqual(
      ['create', 'update', 'update', 'delete', 'restore'].map((operation, index) => ({
        version: index + 1,
        operation,
        tenant_id: office.tenant.id,
        actor: chief.userId,
      })),
    );
  });

  test('is written for a statement that touches many rows, and by nobody but the trigger', async () => {
    const chief = await office.person('chief');
    const client = await office.insert(chief, 'custom_clients', { name: 'many' });
    await office.sql(
      chief,
      `insert into $custom_bills (id, name, client) select gen_random_uuid(), 'n', $1::uuid from generate_series(1, 50)`,
      [client],
    );
    await office.sql(chief, `update $custom_bills set name = 'm' where client = $1::uuid`, [client]);
    expect(
      await office.sql(
        chief,
        `select count(*) from $h_custom_bills h join $custom_bills b on b.id = h.record_id where b.client = $1`,
        [client],
      ),
    ).toEqual([['50']]);
    expect((await errorOf(office.sql(chief, `delete from $h_custom_bills`))).code).toBe('42501');
    expect((await errorOf(office.sql(await office.person(), `update $h_custom_bills set new = null`))).code).toBe(
      '42501',
    );
    expect((await errorOf(office.sql(chief, 'select * from armature.outbox'))).code).toBe('42501');
  });

  test('shows the fields one may read, on the records on which one may read them', async () => {
    const [chief, worker] = [await office.person('chief'), await office.person('worker')];
    const theirs = await office.insert(chief, 'custom_bills', { name: 'theirs', secret: 'a' });
    const mine = await office.insert(worker, 'custom_bills', { name: 'mine', secret: 'a' });
    for (const id of [theirs, mine]) await office.update(chief, 'custom_bills', id, { name: 'changed', secret: 'b' });
    const { fieldsById } = await office.entity('custom.bill');
    const seen = async (id: string) =>
      (await office.sql(worker, 'select field_id from $h_custom_bills where record_id = $1 order by id', [id])).map(
        ([field]) => fieldsById.get(field ?? '')?.key,
      );
    expect(await seen(mine)).toEqual(['name', 'secret']);
    expect(await seen(theirs)).toEqual(['name']);
    await office.update(chief, 'custom_bills', theirs, { stage: 'sent' });
    expect(await seen(theirs)).toEqual([]);
  });
});
