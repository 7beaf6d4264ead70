import { administratorPrincipal } from '../../identity/service-principals.ts';
import { rightsOf } from '../../model/rights.ts';
import type { Scope } from '../../records/scope.ts';
import type { Services } from '../../services.ts';
import { Flags } from '../../settings/flags.ts';
import type { Command, Option } from '../command.ts';
import { UsageError } from '../command.ts';
import { openTenant } from '../open-tenant.ts';
import { table } from '../table.ts';

const TENANT: Option = { type: 'string', value: 'KEY', help: 'the organisation', required: true };
const STATES: Readonly<Record<string, boolean | null>> = { on: true, off: false, default: null };

/** Whoever has the command line may do what the organisation's administrators may. */
async function scopeOf({ models }: Services, key: string): Promise<Scope> {
  const found = await models.get(key);
  const principal = administratorPrincipal(found, 'flags');
  return { ...found, principal, rights: rightsOf(found.model, principal.roles), predicates: true };
}

export const flags: Command = {
  name: 'flags',
  summary: 'Lists the flags of an organisation and whether they are on',
  options: { tenant: TENANT },
  run: async (context, given) => {
    const services = await openTenant(context, given.required('tenant'));
    const states = await new Flags(services).list(await scopeOf(services, given.required('tenant')));
    const word = (on: boolean | null) => (on === null ? '' : on ? 'on' : 'off');
    const rows = states.map((state) => [
      state.flag,
      word(state.switched ?? state.default),
      word(state.switched),
      [
        ...(state.roles ? [`roles ${state.roles.join(', ')}`] : []),
        ...(state.percent === null ? [] : [`${state.percent} %`]),
        ...(state.from === null ? [] : [`from ${state.from}`]),
        ...(state.until === null ? [] : [`until ${state.until}`]),
      ].join('; '),
      state.label,
    ]);
    context.print(table(['flag', 'is', 'switched', 'only for', 'label'], rows));
  },
};

export const flagSwitch: Command = {
  name: 'flag',
  summary: 'Switches a flag on or off, at once and without a publish',
  operands: [
    { name: 'NAME', help: 'the flag with its pack, e.g. crm.feature_forecast' },
    { name: 'STATE', help: 'on, off, or default (as its document says)' },
  ],
  options: { tenant: TENANT },
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const [name = '', state = ''] = given.positionals;
    const on = Object.hasOwn(STATES, state) ? STATES[state] : undefined;
    if (on === undefined) throw new UsageError(`STATE is "${state}". It must be on, off or default.`);
    const services = await openTenant(context, tenant);
    await new Flags(services).switch(await scopeOf(services, tenant), name, on);
    context.print(`Flag "${name}" of "${tenant}" is ${on === null ? 'as its document says' : state}.`);
  },
};
