import { Resolver } from 'node:dns/promises';
import { afterAll, expect, test } from 'vitest';
import { dnsServer } from '#tests/support/dns-server.ts';
import { fixedClock } from '../clock.ts';
import { MailDomains, type MailResolver } from './mail-domains.ts';

const server = await dnsServer({
  'mx.example': { MX: 'mail.mx.example' },
  'host.example': { A: '192.0.2.1' },
  'host6.example': { AAAA: '20010db8000000000000000000000001' },
  'null.example': { MX: '.', A: '192.0.2.1' },
  'bare.example': {},
  'broken.example': 'servfail',
  'silent.example': 'silence',
  'xn--mller-kva.example': { MX: 'mail.mx.example' },
});
const opened: MailResolver[] = [];
afterAll(async () => {
  for (const resolver of opened) resolver.cancel();
  await server.close();
});

const clock = fixedClock(0);
/** Longer than a name server may take on a busy machine; only the one that keeps silent needs it. */
const PATIENCE = 25_000;
const fresh = () =>
  new MailDomains({
    clock,
    patience: PATIENCE,
    open: () => {
      const resolver = new Resolver({ timeout: PATIENCE, tries: 1 });
      resolver.setServers([server.address]);
      opened.push(resolver);
      return resolver;
    },
  });
const refused = async (domains: MailDomains, ...names: string[]) => [
  ...(await domains.refusing(new Set(names), PATIENCE)),
];

test('a domain takes mail by an MX record or an address, unless it says that it does not', async () => {
  const domains = fresh();
  expect(await refused(domains, 'mx.example', 'host.example', 'host6.example', 'müller.example')).toEqual([]);
  const bad = await refused(domains, 'null.example', 'bare.example', 'gone.example', 'mx.example');
  expect(bad.sort()).toEqual(['bare.example', 'gone.example', 'null.example']);
});

test('a name server that fails or keeps silent refuses nobody, and is waited for no longer than was said', async () => {
  const domains = fresh();
  expect(await refused(domains, 'broken.example', 'gone.example')).toEqual(['gone.example']);
  let known = false;
  const silent = domains.refusing(new Set(['silent.example']), 2 * PATIENCE).then(() => {
    known = true;
  });
  expect(await domains.refusing(new Set(['silent.example', 'gone.example']), 1_000)).toEqual(new Set(['gone.example']));
  // Whoever has said more still waits.
  expect(known).toBe(false);
  for (const resolver of opened) resolver.cancel();
  await silent;
});

test('an answer is kept: a yes for an hour, a no for five minutes', async () => {
  const domains = fresh();
  const count = async () => {
    const before = server.asked.length;
    await refused(domains, 'mx.example', 'gone.example');
    return server.asked.slice(before).sort();
  };
  expect(await count()).toEqual(['gone.example MX', 'mx.example MX']);
  clock.advance(299_000);
  expect(await count()).toEqual([]);
  clock.advance(2_000);
  expect(await count()).toEqual(['gone.example MX']);
  clock.advance(3_300_000);
  expect(await count()).toEqual(['gone.example MX', 'mx.example MX']);
});

test('those who ask together share one lookup', async () => {
  const domains = fresh();
  const before = server.asked.length;
  await Promise.all([refused(domains, 'mx.example'), refused(domains, 'mx.example')]);
  expect(server.asked.length - before).toBe(1);
});
