/** docs/api.md is true: every request of it is sent to a demo organisation, in its order, and answered as it says. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testApp } from '#tests/support/app.ts';
import { testDatabase } from '#tests/support/postgres.ts';
import { difference, filled, looseJson, type Message, messagesIn, textMatches } from '#tests/support/story.ts';
import { ensureDemo } from '../../demo/organisation.ts';
import { read } from '../rules/source.ts';

const app = await testApp(await testDatabase());
const home = await mkdtemp(join(tmpdir(), 'armature-story-'));
afterAll(() => rm(home, { recursive: true, force: true }));

const values = new Map<string, string>();
const PEOPLE = { jana: 'jana.edelmann', oskar: 'oskar.dornier', milan: 'milan.ottesen' };

beforeAll(async () => {
  const size = { accounts: 40, contacts: 120, leads: 30, opportunities: 200, activities: 90 };
  const demo = await ensureDemo(app.app.services, { home, signal: new AbortController().signal, size });
  values.set('password', demo?.password ?? '');
  for (const [name, person] of Object.entries(PEOPLE)) {
    const email = `${person}@demo.example`;
    const { token } = await app.app.services.identity.issueToken({ tenant: 'demo', user: { email }, label: 'story' });
    values.set(name, token);
  }
}, 600_000);

interface Answered {
  readonly status: string;
  readonly headers: Headers;
  readonly text: string;
}

async function send({ start, headers, body }: Message): Promise<Answered> {
  const [method = '', path = ''] = filled(start, values).split(' ');
  const given = new Headers(headers.map(([name, value]): [string, string] => [name, filled(value, values)]));
  if (!given.has('authorization') && path !== '/api/session')
    given.set('authorization', `Bearer ${values.get('jana')}`);
  const content = filled(body, values);
  const multipart = given.get('content-type')?.startsWith('multipart/') === true;
  if (content !== '' && !given.has('content-type')) given.set('content-type', 'application/json');
  const controller = new AbortController();
  const response = await fetch(app.url + path, {
    method,
    headers: given,
    redirect: 'manual',
    signal: controller.signal,
    body: content === '' ? null : multipart ? content.replaceAll('\n', '\r\n') : content,
  });
  const status = String(response.status);
  if (!response.headers.get('content-type')?.startsWith('text/event-stream'))
    return { status, headers: response.headers, text: await response.text() };
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('event: ready\ndata: {}\n\n')) break;
  }
  controller.abort();
  return { status, headers: response.headers, text };
}

function faultOf(expected: Message, { status, headers, text }: Answered): string | null {
  const said = expected.start.split(' ')[1] ?? '';
  if (status !== said) return `${status}, not ${said}: ${text.slice(0, 1500)}`;
  for (const [name, value] of expected.headers) {
    const actual = headers.get(name) ?? '';
    if (!textMatches(value, actual, values)) return `${name}: ${actual}, not ${value}`;
  }
  if (expected.body === '') return text === '' ? null : `a body: ${text.slice(0, 1500)}`;
  const found =
    headers.get('content-type')?.includes('json') && !headers.get('content-type')?.includes('ndjson')
      ? difference(looseJson(expected.body), JSON.parse(text), values)
      : textMatches(expected.body, text.replaceAll('\r\n', '\n').trimEnd(), values)
        ? null
        : 'the text is another';
  return found === null ? null : `${found} in ${text.slice(0, 1500)}`;
}

test('every request of docs/api.md is answered as it says', { timeout: 900_000 }, async () => {
  const messages = messagesIn(read('docs/api.md'));
  const odd: string[] = [];
  let asked = 0;
  for (const [at, message] of messages.entries()) {
    if (message.start.startsWith('HTTP/')) continue;
    asked += 1;
    const expected = messages[at + 1];
    if (!expected?.start.startsWith('HTTP/')) {
      odd.push(`docs/api.md:${message.line} ${message.start}: no answer`);
      continue;
    }
    let fault = faultOf(expected, await send(message));
    // An import runs by itself, and the feed waits for whoever writes elsewhere in the cluster.
    for (let tries = 0; fault !== null && tries < 240 && /\/imports\/|\$changes/.test(message.start); tries += 1) {
      if (!message.start.startsWith('GET')) break;
      await new Promise((resolve) => setTimeout(resolve, 250));
      fault = faultOf(expected, await send(message));
    }
    if (fault !== null) odd.push(`docs/api.md:${message.line} ${message.start}: ${fault}`);
    if (odd.length > 0 && process.env['ARMATURE_STORY'] !== 'all') break;
  }
  expect(odd).toEqual([]);
  expect(asked).toBeGreaterThan(40);
});

test('what its text shows of an address or a header is in a request that is sent', () => {
  const text = read('docs/api.md');
  const sent = [...text.matchAll(/^```http\n[\s\S]*?\n```$/gm)].join('\n');
  const shown = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/`([^`\n]*=[^`\n]*)`/g)].map(
    ([, code = '']) => code,
  );
  expect(shown.filter((code) => !sent.includes(code))).toEqual([]);
  expect(shown.length).toBeGreaterThan(0);
});
