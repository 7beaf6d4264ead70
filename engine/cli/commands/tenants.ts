import { CORE } from '../../model/documents.ts';
import { loadShippedPacks } from '../../model/packs.ts';
import { createOrganisation } from '../../organisation.ts';
import { listTenants } from '../../schema/tenants.ts';
import type { Command } from '../command.ts';
import { table } from '../table.ts';

export const tenants: Command = {
  name: 'tenants',
  summary: 'Lists the organisations of this installation',
  run: async ({ open, print }) => {
    const { services } = await open();
    const rows = (await listTenants(services.database)).map(({ tenant, release }) => [
      tenant.key,
      tenant.name,
      `${release}`,
      tenant.country,
      tenant.currency,
      tenant.timeZone,
      tenant.locale,
    ]);
    print(table(['key', 'name', 'release', 'country', 'currency', 'time zone', 'language'], rows));
  },
};

export const tenantCreate: Command = {
  name: 'tenant create',
  summary: 'Makes an organisation, publishes its packs, and adds its first administrator',
  operands: [{ name: 'KEY', help: 'its key: lower-case letters, digits and _, from a letter, at most 40' }],
  options: {
    name: { type: 'string', value: 'TEXT', help: 'what people call it', required: true },
    packs: { type: 'string', value: 'A,B', help: 'the packs it works with (default: all that ship)' },
    'admin-email': { type: 'string', value: 'EMAIL', help: 'its first administrator; the password is printed' },
    'admin-name': { type: 'string', value: 'TEXT', help: 'the administrator’s name' },
    country: { type: 'string', value: 'CC', help: 'ISO 3166 country (default US)' },
    currency: { type: 'string', value: 'CCC', help: 'ISO 4217 currency (default USD)' },
    'time-zone': { type: 'string', value: 'NAME', help: 'IANA time zone (default UTC)' },
    locale: { type: 'string', value: 'TAG', help: 'language (default en)' },
  },
  run: async ({ open, print, say }, given) => {
    const { services } = await open();
    const email = given.text('admin-email');
    const { release, administrator } = await createOrganisation(services, {
      key: given.positionals[0] ?? '',
      name: given.required('name'),
      packs:
        given
          .text('packs')
          ?.split(',')
          .map((pack) => pack.trim())
          .filter(Boolean) ?? (await shippedPacks()),
      country: given.text('country') ?? 'US',
      currency: given.text('currency') ?? 'USD',
      timeZone: given.text('time-zone') ?? 'UTC',
      locale: given.text('locale') ?? 'en',
      ...(email ? { administrator: { email, name: given.text('admin-name') ?? email } } : {}),
    });
    say(`The organisation "${given.required('name')}" is there, at release ${release}.`);
    if (administrator) print(`Administrator ${email}, password ${administrator.password}`);
  },
};

async function shippedPacks(): Promise<string[]> {
  return (await loadShippedPacks()).map(({ key }) => key).filter((key) => key !== CORE);
}
