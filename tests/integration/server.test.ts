/** The server as a process: first start, restart, ends, and what it says when it cannot start. */
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Running } from '#tests/support/process.ts';
import { run, start } from '#tests/support/process.ts';

const READY = 'Stop with Ctrl+C.';
const SERVER = 'engine/main.ts';
const COMMANDS = 'engine/armature.ts';

let home: string;
let server: Running;
let url: string;

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  ARMATURE_HOME: home,
  PORT: '0',
  LOG_LEVEL: 'warn',
  ...more,
});
const begin = async (more: Readonly<Record<string, string>> = {}) => {
  server = start(SERVER, [], environment(more));
  const said = await server.says(READY);
  url = /http:\/\/localhost:\d+/.exec(said)?.[0] ?? '';
  return said;
};
const cli = (...args: string[]) => run(COMMANDS, args, environment());
const end = async (signal: NodeJS.Signals) => {
  server.child.kill(signal);
  return server.ended();
};
const password = (said: string) => /password: (\S+)/.exec(said)?.[1] ?? '';
const signIn = async (email: string, secret: string) => {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: secret }),
  });
  return { status: response.status, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' };
};
const postmaster = async () =>
  Number((await readFile(join(home, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '0')).split('\n')[0]);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'armature-server-'));
  // The server of Postgres may run as another user, who has to reach its folder.
  await chmod(home, 0o755);
});
afterAll(async () => {
  if (server.child.exitCode === null && server.child.signalCode === null) await end('SIGTERM');
  await rm(home, { recursive: true, force: true });
});

describe('a server', () => {
  let secret: string;

  test('makes everything at its first start, and shows who can sign in', { timeout: 600_000 }, async () => {
    server = start(SERVER, [], environment());
    let early = '';
    while (early === '' && server.child.exitCode === null) {
      const note = await readFile(join(home, 'server.json'), 'utf8').catch(() => '');
      early = /"url":"([^"]+)"/.exec(note)?.[1] ?? '';
      await delay(10);
    }
    // Long before there is a database.
    expect((await fetch(`${early}/livez`)).status).toBe(200);
    const said = await server.says(READY);
    url = /http:\/\/localhost:\d+/.exec(said)?.[0] ?? '';
    secret = password(said);
    const people = [...said.matchAll(/^ +(administrator|manager|sales rep) +(\S+@demo\.example)/gm)].map(
      ([, role, email]) => ({ role, email }),
    );
    expect(people.map(({ role }) => role)).toEqual(['administrator', 'manager', 'sales rep']);
    const counts: number[] = [];
    for (const { email } of people) {
      const session = await signIn(email ?? '', secret);
      expect(session.status).toBe(201);
      const answer = await fetch(`${url}/api/crm/v1/accounts?$select=id&$first=1&$count=exact`, {
        headers: { cookie: session.cookie },
      });
      const { count }: { count: { value: number } } = JSON.parse(await answer.text());
      counts.push(count.value);
    }
    const [all = 0, team = 0, own = 0] = counts;
    expect(all).toBe(2000);
    expect(team).toBeLessThan(all);
    expect(own).toBeLessThan(team);
    expect((await stat(join(home, 'secret'))).mode & 0o777).toBe(0o600);
  });

  test('does not let a second one onto its folder, nor onto its port', { timeout: 300_000 }, async () => {
    const second = await run(SERVER, [], environment());
    expect([second.code, second.out]).toEqual([1, '']);
    expect(second.err.trim()).toMatch(
      /^Armature already runs on .* \(process \d+, http:\/\/127\.0\.0\.1:\d+\)\. Stop it, or set ARMATURE_HOME/,
    );
    const port = new URL(url).port;
    const other = await run(SERVER, [], environment({ ARMATURE_HOME: join(home, 'other'), PORT: port }));
    expect(other.code).toBe(1);
    expect(other.err.trim()).toBe(
      `Port ${port} is already taken. Stop the other program, or choose another port: PORT=${Number(port) + 1} npm start.`,
    );
  });

  test('hears what the command line publishes', { timeout: 900_000 }, async () => {
    const made = await cli('tenant', 'create', 'acme', '--name', 'Acme', '--admin-email', 'ann@acme.example');
    expect([made.code, made.out]).toEqual([
      0,
      expect.stringMatching(/^Administrator ann@acme\.example, password \S{16}\n$/),
    ]);
    const issued = await cli('token', '--tenant', 'acme', '--user', 'ann@acme.example');
    expect(issued.out).toMatch(/^arm_[A-Za-z0-9_-]{43}\n$/);
    const headers = { authorization: `Bearer ${issued.out.trim()}` };
    const address = `${url}/api/custom/v1/machines`;
    expect((await fetch(address, { headers })).status).toBe(404);
    const folder = join(home, 'documents');
    await mkdir(folder);
    const fields = [{ key: 'name', type: 'text', label: 'Name', required: true }];
    const entity = { kind: 'entity', key: 'machine', plural: 'machines', label: 'Machine', title: '{name}', fields };
    await writeFile(join(folder, 'machine.json'), JSON.stringify(entity));
    expect((await cli('plan', '--tenant', 'acme', folder)).out).toContain('Create Machine');
    expect((await cli('publish', '--tenant', 'acme', folder)).out).toBe('Release 2 of "acme" is published.\n');
    await expect.poll(async () => (await fetch(address, { headers })).status).toBe(200);
    const full = await cli('export', '--tenant', 'acme', folder);
    expect([full.code, full.err]).toEqual([1, expect.stringContaining('is not empty, and no export has written it')]);
    const exported = join(home, 'exported');
    expect((await cli('export', '--tenant', 'acme', exported)).out).toBe(`1 document written to ${exported}.\n`);
    const file = await readFile(join(exported, 'machine.entity.json'), 'utf8');
    expect(file).toMatch(/"id": "e_[0-9a-f]{12}"/);
    await writeFile(
      join(exported, 'machine.entity.json'),
      file.replaceAll('"name"', '"title"').replace('{name}', '{title}'),
    );
    expect((await cli('plan', '--tenant', 'acme', exported, '--base', '2')).out).toContain('Rename');
    expect((await cli('publish', '--tenant', 'acme', exported, '--base', '1')).code).toBe(1);
    expect((await cli('diff', '--tenant', 'acme')).out).toContain('Machine (custom.machine) is new.');
    // Exported again over what a person has changed: it is as it was.
    expect((await cli('export', '--tenant', 'acme', exported)).code).toBe(0);
    expect(await readFile(join(exported, 'machine.entity.json'), 'utf8')).toBe(file);
    expect((await cli('rollback', '--tenant', 'acme', '--to', '1')).code).toBe(0);
    expect((await cli('releases', '--tenant', 'acme')).out.split('\n')).toHaveLength(5);
    const written = await cli('documents', '--tenant', 'acme');
    expect([written.code, written.out]).toEqual([0, '']);
  });

  test('ends cleanly, with its Postgres, and starts again onto its data', { timeout: 600_000 }, async () => {
    expect(await postmaster()).toBeGreaterThan(0);
    expect((await end('SIGTERM')).code).toBe(0);
    expect(await postmaster()).toBe(0);
    await expect(readFile(join(home, 'server.json'))).rejects.toThrow('ENOENT');
    const said = await begin();
    expect(password(said)).toBe(secret);
    expect(said).toContain('@demo.example');
  });

  test('takes over after a crash', { timeout: 600_000 }, async () => {
    await end('SIGKILL');
    expect(await postmaster()).toBeGreaterThan(0);
    await begin();
    expect((await end('SIGINT')).code).toBe(0);
    expect(await postmaster()).toBe(0);
  });

  test('the command line works without it, and leaves nothing running', { timeout: 600_000 }, async () => {
    const listed = await cli('tenants');
    expect(listed.out).toMatch(/^key .*\nacme .*\ndemo /);
    expect(await postmaster()).toBe(0);
  });

  test('begins anew after “migrate down”', { timeout: 600_000 }, async () => {
    const refused = await cli('migrate', 'down');
    expect([refused.code, refused.err]).toEqual([
      1,
      'This deletes all organisations with all of their records. Add --yes to do it.\n',
    ]);
    const down = await cli('migrate', 'down', '--yes');
    expect([down.code, down.err]).toEqual([0, expect.stringMatching(/^2 organisations are gone/)]);
    const made = await cli('tenant', 'create', 'acme', '--name', 'Acme', '--admin-email', 'ann@acme.example');
    expect(made.code).toBe(0);
    const said = await begin();
    expect(said).toContain('@demo.example');
    expect((await signIn('ann@acme.example', /password (\S+)/.exec(made.out + made.err)?.[1] ?? '')).status).toBe(201);
    expect((await end('SIGTERM')).code).toBe(0);
  });

  test('says in a sentence why it cannot start', { timeout: 600_000 }, async () => {
    const version = join(home, 'postgres', 'PG_VERSION');
    const before = await readFile(version, 'utf8');
    await writeFile(version, '16\n');
    const old = await run(SERVER, [], environment());
    await writeFile(version, before);
    expect(old.code).toBe(1);
    expect(old.err.trim()).toMatch(/^The data in .* belong to Postgres 16, and this is Postgres 18\./);

    const secretive = await run(
      SERVER,
      [],
      environment({ ARMATURE_SECRET: 'another one, and long enough for a secret' }),
    );
    expect(secretive.code).toBe(1);
    expect(secretive.err.trim()).toMatch(
      /^The data in .*postgres were made with another secret than this one\. .*ARMATURE_SECRET/,
    );

    const file = join(home, 'a-file');
    await writeFile(file, '');
    const unwritable = await run(SERVER, [], environment({ ARMATURE_HOME: join(file, 'home') }));
    expect(unwritable.code).toBe(1);
    expect(unwritable.err.trim()).toMatch(
      /^The folder .* cannot be written to \(a part of the path is a file\)\. .*ARMATURE_HOME/,
    );

    const nonsense = await run(SERVER, [], environment({ PORT: 'http' }));
    expect(nonsense.err.trim()).toBe('PORT is "http". It must be a number from 0 to 65535.');
    for (const { err } of [old, secretive, unwritable, nonsense]) expect(err).not.toMatch(/\bat .*:\d+:\d+|Error:/);
  });
});
