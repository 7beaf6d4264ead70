import type { Command } from '../command.ts';
import { UsageError } from '../command.ts';
import { openTenant } from '../open-tenant.ts';

const DAY = 86_400_000;

export const token: Command = {
  name: 'token',
  summary: 'Issues a bearer token for a program that acts as a user',
  options: {
    tenant: { type: 'string', value: 'KEY', help: 'the organisation', required: true },
    user: { type: 'string', value: 'EMAIL', help: 'the user it acts as', required: true },
    label: { type: 'string', value: 'TEXT', help: 'a name to recognise it by' },
    days: { type: 'string', value: 'N', help: 'how long it is valid (default 365)' },
  },
  details:
    'The token alone goes to standard output: TOKEN=$(npm run --silent armature -- token --tenant demo --user …)',
  run: async (context, given) => {
    const days = given.text('days') ?? '365';
    if (!/^[1-9]\d{0,3}$/.test(days)) throw new UsageError(`--days is "${days}". It must be a number from 1 to 9999.`);
    const tenant = given.required('tenant');
    const { identity } = await openTenant(context, tenant);
    const issued = await identity.issueToken({
      tenant,
      user: { email: given.required('user') },
      label: given.text('label') ?? 'command line',
      ttl: Number(days) * DAY,
    });
    context.print(issued.token);
    context.say(
      `Valid until ${issued.expiresAt.toISOString().slice(0, 10)} for ${issued.principal.name}. It is not shown again.`,
    );
  },
};
