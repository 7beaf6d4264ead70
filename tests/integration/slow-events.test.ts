/** Events for a client that stops reading: what waits for it is bounded, it is let go, and goes on where it stood. */
import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { testApp } from '../support/app.ts';
import { settled } from '../support/outbox.ts';
import { testDatabase } from '../support/postgres.ts';
import { makeTenant } from '../support/tenant.ts';

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 300_000 });
const LEADS = 1000;
/** Changes of all of them: more than fits between two sockets. */
const ROUNDS = 40;
/** The same where systems keep more between them. */
const MOST_ROUNDS = 400;
/** Bytes that may wait, and the events of a round. */
const BOUND = 600_000;

const database = await testDatabase();
const app = await testApp(database);
await makeTenant(app, 'acme');
const admin = await app.as('acme', 'admin@acme.example');
const { token } = await app.app.services.identity.issueToken({ tenant: 'acme', user: { email: 'admin@acme.example' } });

/** Answers to those who listen, as the server holds them. */
const answers: ServerResponse[] = [];
const note = (message: unknown): void => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  if (request.url?.startsWith('/api/$events') === true) answers.push(response);
};
channel('http.server.request.start').subscribe(note);
const sockets: { destroy: () => void }[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  answers.length = 0;
});

beforeAll(async () => {
  const made = await admin.post(
    '/api/crm/v1/leads',
    Array.from({ length: LEADS }, (_, index) => ({ last_name: `Lead ${index}`, company: 'Fictional' })),
  );
  expect(made.status, made.text).toBe(201);
});

interface Event {
  readonly event: string;
  readonly id: string;
  readonly data: {
    readonly data?: readonly { readonly id: string; readonly version: number }[];
    readonly reason?: string;
  };
}

function listen(since: string | null) {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let text = '';
  const state = { ended: false };
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('close', () => {
    state.ended = true;
  });
  socket.on('error', () => {});
  const from = since === null ? '' : `Last-Event-ID: ${since}\r\n`;
  // HTTP/1.0: without the marks of chunks.
  socket.write(
    `GET /api/$events?entities=crm.lead HTTP/1.0\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n${from}\r\n`,
  );
  const events = (): Event[] =>
    text
      .split('\n\n')
      .slice(0, -1)
      .flatMap((block) => {
        const part = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        return part('event') === '' ? [] : [{ event: part('event'), id: part('id'), data: JSON.parse(part('data')) }];
      });
  return { socket, events, state };
}

/** The versions that were told, by record. */
const versions = (events: readonly Event[]): Map<string, number> =>
  new Map(events.flatMap(({ data }) => (data.data ?? []).map(({ id, version }) => [id, version])));

const ready = (client: ReturnType<typeof listen>) =>
  vi.waitFor(() => expect(client.events().some(({ event }) => event === 'ready')).toBe(true), {
    timeout: 60_000,
    interval: 500,
  });

async function stored(name = '%'): Promise<Map<string, number>> {
  const { rows } = await database.superuser.query<{ id: string; version: string }>(
    'select id, version from t_acme.crm_leads where last_name like $1',
    [name],
  );
  return new Map(rows.map(({ id, version }) => [id, Number(version)]));
}

async function change(): Promise<void> {
  await database.superuser.query('update t_acme.crm_leads set company = company || $1', ['.']);
}

test('somebody who stops reading is let go with what they need to go on', async () => {
  const [fast, slow] = [listen(null), listen(null)];
  await Promise.all([ready(fast), ready(slow)]);
  slow.socket.pause();
  let most = 0;
  const letGo = () => answers.filter(({ writableEnded }) => writableEnded);
  // No longer than that: what waits for somebody who was let go and still does not read is given up after a minute.
  for (let round = 0; round < MOST_ROUNDS && letGo().length === 0; round++) {
    await change();
    const wanted = await stored();
    // Whoever reads is told at once, whoever else does not.
    await vi.waitFor(() => expect(versions(fast.events())).toEqual(wanted), { timeout: 60_000, interval: 100 });
    for (const answer of answers) most = Math.max(most, answer.writableLength);
  }
  expect(letGo()).toHaveLength(1);
  expect(most).toBeGreaterThan(100_000);
  expect(most).toBeLessThan(BOUND);
  slow.socket.resume();
  await vi.waitFor(() => expect(slow.state.ended).toBe(true), { timeout: 50_000 });
  const seen = slow.events();
  expect(seen.at(-1)).toMatchObject({ event: 'end', data: { reason: 'slow' } });
  expect(versions(seen)).not.toEqual(await stored());
  const last = seen.findLast(({ id }) => id !== '')?.id ?? '';
  const again = listen(last);
  await ready(again);
  expect(versions([...seen, ...again.events()])).toEqual(await stored());
});

test('somebody who was away and reads slowly is told all of it, and no more waits for them than fits', async () => {
  // What the test before has left is not told again.
  await settled(database);
  const first = listen(null);
  await ready(first);
  const since = first.events().findLast(({ id }) => id !== '')?.id ?? '';
  first.socket.destroy();
  // The past tells of each record once.
  await database.superuser.query(
    `insert into t_acme.crm_leads (id, last_name, company, status, owner)
     select uuidv7(), 'Late ' || n, l.company, l.status, l.owner
     from generate_series(1, $1::int) n, (select * from t_acme.crm_leads limit 1) l`,
    [LEADS * ROUNDS],
  );
  const before = await stored('Late %');
  answers.length = 0;
  const back = listen(since);
  back.socket.pause();
  let most = 0;
  const look = () => {
    for (const answer of answers) most = Math.max(most, answer.writableLength);
    return most;
  };
  await vi.waitFor(() => expect(look()).toBeGreaterThan(50_000), { timeout: 60_000 });
  for (let turn = 0; turn < 20; turn++) {
    await delay(50);
    look();
  }
  expect(most).toBeLessThan(BOUND);
  back.socket.resume();
  await ready(back);
  expect(versions(back.events())).toEqual(before);
  expect(back.events().map(({ event }) => event)).not.toContain('end');
});
