import { CORE } from '../../model/documents.ts';
import { loadShippedPacks } from '../../model/packs.ts';
import { createOrganisationOn } from '../../cells/place.ts';
import { listTenants } from '../../schema/tenants.ts';
import type { Command } from '../command.ts';
import { Failure, UsageError } from '../command.ts';
import { table } from '../table.ts';

export const tenants: Command = {
  name: 'tenants',
  summary: 'Lists the organisations of this installation',
  run: async ({ open, print }) => {
    const { cells } = await open();
    const several = cells.keys.length > 0;
    const rows: string[][] = [];
    for (const { key, services } of cells.reachable()) {
      for (const { tenant, release } of await listTenants(services.database)) {
        const { currency, timeZone, locale } = tenant;
        const cell = several ? [key ?? 'home'] : [];
        rows.push([tenant.key, tenant.name, `${release}`, tenant.country, currency, timeZone, locale, ...cell]);
      }
    }
    const head = ['key', 'name', 'release', 'country', 'currency', 'time zone', 'language'];
    print(table(several ? [...head, 'cell'] : head, rows));
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
    'fiscal-year-start': {
      type: 'string',
      value: 'MONTH',
      help: 'month its fiscal year begins with, 1 to 12 (default 1)',
    },
    cell: { type: 'string', value: 'KEY', help: 'the cell it lives on, one of ARMATURE_CELLS (default: home)' },
  },
  run: async ({ open, print, say }, given) => {
    const { cells } = await open();
    const cell = given.text('cell') ?? null;
    if (cell !== null && !cells.keys.includes(cell))
      throw new UsageError(
        `--cell is "${cell}". ${cells.keys.length > 0 ? `There are: ${cells.keys.join(', ')}.` : 'ARMATURE_CELLS names none.'}`,
      );
    if (!cells.reachable().some(({ key }) => key === cell))
      throw new Failure(`The cell "${cell}" cannot be reached now. No organisation was made.`);
    const email = given.text('admin-email');
    const { release, administrator } = await createOrganisationOn(cells, cell, {
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
      fiscalYearStart: Number(given.text('fiscal-year-start') ?? 1),
      ...(email ? { administrator: { email, name: given.text('admin-name') ?? email } } : {}),
    });
    say(`The organisation "${given.required('name')}" is there, at release ${release}.`);
    if (administrator) print(`Administrator ${email}, password ${administrator.password}`);
  },
};

async function shippedPacks(): Promise<string[]> {
  return (await loadShippedPacks()).map(({ key }) => key).filter((key) => key !== CORE);
}
