import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { dnsServer } from '#tests/support/dns-server.ts';
import type { FieldLab } from '#tests/support/field-lab.ts';
import { makeFieldLab } from '#tests/support/field-lab.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { fixedClock, systemClock, systemIds } from '../clock.ts';
import type { Sender } from '../db/sender.ts';
import { Problem } from '../problem.ts';
import { Settings } from '../settings/settings.ts';
import { Writer } from '../records/write/writer.ts';
import { MailDomains } from './mail-domains.ts';
import { MailInspector, SWITCH_KEPT } from './mail-inspector.ts';

const server = await dnsServer({ 'good.example': { MX: 'mx.good.example' }, 'silent.example': 'silence' });
const postgres = await testDatabase();
const clock = fixedClock(Date.now());
let things: FieldLab;
let settings: Settings;
let writer: Writer;
/** Waits for no name server. */
let hasty: Writer;
let batches = 0;
/** Longer than a name server may take on a busy machine. */
const PATIENCE = 20_000;

beforeAll(async () => {
  things = await makeFieldLab(
    postgres,
    [
      { key: 'email', type: 'email', mx: true },
      { key: 'other', type: 'email' },
      { key: 'code', type: 'text', unique: true, max: 20 },
      { key: 'boss', type: 'reference', to: 'lab.thing' },
      { key: 'parts', type: 'children', of: 'lab.part' },
    ],
    [
      { kind: 'setting', key: 'email_mx_check', label: 'Check mail', default: false, schema: { type: 'boolean' } },
      { kind: 'entity', key: 'plain', plural: 'plains', label: 'Plain', fields: [{ key: 'email', type: 'email' }] },
      {
        kind: 'entity',
        key: 'part',
        plural: 'parts',
        label: 'Part',
        parent: 'thing',
        fields: [
          { key: 'thing', type: 'reference', to: 'lab.thing', required: true },
          { key: 'mail', type: 'email', mx: true },
        ],
      },
      { kind: 'permission', role: 'chief', entity: 'lab.plain', actions: ['create', 'read'] },
    ],
  );
  const { database } = things.lab;
  settings = new Settings({ database, secret: 'x'.repeat(32) });
  const counted: Sender = {
    batch: (...args) => {
      batches += 1;
      return database.batch(...args);
    },
    transaction: (session, work) => database.transaction(session, work),
  };
  const open = () => {
    const resolver = new Resolver({ timeout: PATIENCE, tries: 1 });
    resolver.setServers([server.address]);
    return resolver;
  };
  const waiting = (patience: number) => {
    const domains = new MailDomains({ clock, open, patience });
    const inspector = new MailInspector({ domains, clock, secret: 'x'.repeat(32), patience });
    return new Writer({ database: counted, ids: systemIds, clock: systemClock, inspector });
  };
  writer = waiting(PATIENCE);
  hasty = waiting(300);
});
afterAll(async () => {
  await things.close();
  await server.close();
});

async function switched(on: boolean): Promise<void> {
  await settings.put(await things.lab.person('administrator'), { 'lab.email_mx_check': on });
  clock.advance(SWITCH_KEPT);
}
const thing = () => things.lab.entity('thing');
const create = (body: unknown) => writer.create(things.chief, thing(), body);
const update = (id: string | undefined, body: unknown) => writer.update(things.chief, thing(), id ?? '', body);
const told = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error === null) return null;
  if (!(error instanceof Problem)) throw error;
  return [error.code, ...error.errors.map(({ code, pointer }) => `${code} ${pointer}`)];
};

describe('switched off', () => {
  test('asks nobody, and costs a write nothing', async () => {
    await create({ name: 'first', email: 'a@nowhere.example' });
    const before = server.asked.length;
    batches = 0;
    const { status } = await create({ name: 'x', email: 'a@nowhere.example' });
    expect([status, server.asked.length - before, batches]).toEqual([201, 0, 1]);
  });
});

describe('switched on', () => {
  beforeEach(() => switched(true));

  test('an address whose domain takes no mail is refused where it stands, and nothing is kept', async () => {
    const refusal = await create({ name: 'refused', email: 'A@Nowhere.example' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'invalid',
      message: 'No mail can be delivered to “nowhere.example”.',
      errors: [{ code: 'mx', pointer: '/email', params: { domain: 'nowhere.example' } }],
    });
    expect(await things.names('name=refused')).toEqual([]);
    expect((await create({ name: 'kept', email: 'a@good.example' })).status).toBe(201);
  });

  test('in lists, parts and records made with it as well', async () => {
    const email = 'a@nowhere.example';
    expect(
      await told(
        create([
          { name: 'a', email: 'a@good.example' },
          { name: 'b', email },
          { name: 'c', email },
        ]),
      ),
    ).toEqual(['invalid', 'mx /1/email', 'mx /2/email']);
    expect(await told(create({ name: 'a', parts: [{ mail: email }], boss: { create: { name: 'b', email } } }))).toEqual(
      ['invalid', 'mx /parts/0/mail', 'mx /boss/create/email'],
    );
    const { id } = await create({ name: 'whole' });
    expect(await told(update(id, { parts: { create: [{ mail: email }] } }))).toEqual([
      'invalid',
      'mx /parts/create/0/mail',
    ]);
    expect(
      await told(
        writer.together(
          things.chief,
          {},
          async (inner) => (await inner.create(things.chief, thing(), { name: 'x', email })).body ?? '',
        ),
      ),
    ).toEqual(['invalid', 'mx /email']);
  });

  test('what a record has already is not refused, by id and by key', async () => {
    await switched(false);
    const { id } = await create({ name: 'old', code: 'K1', email: 'a@nowhere.example' });
    await switched(true);
    expect(await told(update(id, { name: 'older', email: 'A@nowhere.example' }))).toBeNull();
    expect(await told(update(id, { email: 'b@nowhere.example' }))).toEqual(['invalid', 'mx /email']);
    const upsert = (email: string) =>
      writer.upsert(things.chief, thing(), ['code'], [{ code: 'K1', name: 'oldest', email }]);
    expect(await told(upsert('a@nowhere.example'))).toBeNull();
    expect(await told(upsert('b@nowhere.example'))).toEqual(['invalid', 'mx /0/email']);
    expect(await things.names('code=K1')).toEqual(['oldest']);
  });

  test('a name server that keeps silent lets it pass', async () => {
    expect(await told(hasty.create(things.chief, thing(), { name: 'quiet', email: 'a@silent.example' }))).toBeNull();
  });

  test('other fields, entities and imports ask nobody', async () => {
    const before = server.asked.length;
    await create({ name: 'x', other: 'a@nowhere2.example' });
    await writer.create(things.chief, things.lab.entity('plain'), { email: 'a@nowhere2.example' });
    await things.bring('name,email\nbrought,a@nowhere2.example\n');
    expect(await things.names('name=brought')).toEqual(['brought']);
    expect(server.asked.length - before).toBe(0);
  });

  test('what is wrong in itself is told first, without a lookup', async () => {
    const before = server.asked.length;
    expect(await told(create({ email: 'a@nowhere3.example' }))).toEqual(['invalid', 'required /name']);
    expect(server.asked.length - before).toBe(0);
  });
});
