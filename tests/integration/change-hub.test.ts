/** Who comes to hear of changes while others come, or are being told, misses nothing. */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Scopes } from '#engine/api/scopes.ts';
import { Database, type Session } from '#engine/db/database.ts';
import type { Statement, StatementResult } from '#engine/db/execute.ts';
import { ChangeHub } from '#engine/records/changes/hub.ts';
import type { Position } from '#engine/records/changes/outbox-read.ts';
import type { Scope } from '#engine/records/scope.ts';
import { testApp } from '../support/app.ts';
import { settled } from '../support/outbox.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

vi.setConfig({ testTimeout: 300_000 });

/** Before each batch it waits for the next gate, as long as there are any. */
class Gated extends Database {
  gates: Promise<void>[] = [];

  override async batch(session: Session, statements: readonly Statement[]): Promise<StatementResult[]> {
    await this.gates.shift();
    return super.batch(session, statements);
  }
}

const prepared = await testDatabase();
const app = await testApp(prepared);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const gated = new Gated({ address: prepared.address, app: prepared.app, owner: prepared.owner, connections: 2 });
afterAll(() => gated.close());

let scope: Scope;
beforeAll(async () => {
  const { identity, models } = app.app.services;
  const { token } = await identity.issueToken({ tenant: 'acme', user: { email: 'admin@acme.example' } });
  const principal = await identity.authenticate(token);
  if (!principal) throw new Error('nobody');
  scope = await new Scopes(models).of(principal);
});

function openHub(): ChangeHub {
  const hub = new ChangeHub({ database: gated, log: pino({ level: 'silent' }) });
  onTestFinished(() => hub.close());
  return hub;
}

/** @returns the records that somebody is told of from now on */
function come(hub: ChangeHub, since: Position): readonly string[] {
  const told: string[] = [];
  hub.subscribe(
    {
      scope: async () => scope,
      entities: ['crm.account'],
      send: (items) => told.push(...items.map(({ item }) => item.id)),
      end: () => {},
    },
    scope,
    since,
  );
  return told;
}

async function make(name: string): Promise<string> {
  const { json, text } = await admin.post('/api/crm/v1/accounts', { name });
  if (!json.data) throw new Error(text);
  await settled(prepared);
  return json.data.id;
}

test('two who come at once are each told everything from where they came', async () => {
  const hub = openHub();
  const late = Promise.withResolvers<void>();
  gated.gates = [Promise.resolve(), late.promise];
  const heads = [hub.head(), hub.head()] as const;
  const first = come(hub, await heads[0]);
  const id = await make('Between the two');
  late.resolve();
  come(hub, await heads[1]);
  await expect.poll(() => first).toEqual([id]);
});

test('who comes while others are told is told the same', async () => {
  const hub = openHub();
  const first = come(hub, await hub.head());
  const looked = Promise.withResolvers<void>();
  gated.gates = [looked.promise];
  // It knows who is there, and is about to read what has changed.
  await expect.poll(() => gated.gates.length).toBe(0);
  const id = await make('In the middle of a look');
  const second = come(hub, await hub.head());
  looked.resolve();
  await expect.poll(() => first).toEqual([id]);
  await expect.poll(() => second).toEqual([id]);
});
