import type { Command, Option } from '../command.ts';
import { UsageError } from '../command.ts';
import { openTenant } from '../open-tenant.ts';
import { table } from '../table.ts';

const TENANT: Option = { type: 'string', value: 'KEY', help: 'the organisation', required: true };

export const purge: Command = {
  name: 'purge',
  summary: 'Drops for good what publishes set aside: removed fields and entities with their values',
  options: {
    tenant: TENANT,
    days: {
      type: 'string',
      value: 'N',
      help: 'what was set aside at least so many days ago (ARMATURE_KEEP_ASIDE_DAYS)',
    },
    yes: { type: 'boolean', help: 'does it; without it the list is shown and nothing is dropped' },
  },
  details: 'A running server does it by itself when the days are over. Until then a rollback brings everything back.',
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const days = given.text('days') ?? `${context.config.keepAsideDays}`;
    if (!/^\d{1,5}$/.test(days)) throw new UsageError(`--days is "${days}". It must be a number of days.`);
    const services = await openTenant(context, tenant);
    const found = await services.steps.setAside(tenant, Number(days));
    if (found.length === 0) {
      context.print(`Nothing was set aside ${days} days ago or before.`);
      return;
    }
    context.print(
      table(
        ['set aside', 'release', 'what'],
        found.map(({ at, release, original, column }) => [
          at,
          `${release}`,
          column ? `column ${original}` : `table ${original}`,
        ]),
      ),
    );
    if (!given.flag('yes')) {
      context.say('Nothing was dropped. With --yes it is, and cannot be brought back.');
      return;
    }
    await services.steps.purge(tenant, Number(days));
    await services.stepRunner.drain(tenant);
    const left = await services.steps.setAside(tenant, Number(days));
    context.print(
      left.length === 0 ? 'Dropped.' : `${left.length} are still being dropped; "armature steps" shows it.`,
    );
  },
};
