import type { Step } from '../../schema/deferred/store.ts';
import type { Command, Option } from '../command.ts';
import { Failure, UsageError } from '../command.ts';
import { openTenant } from '../open-tenant.ts';
import { table } from '../table.ts';

const TENANT: Option = { type: 'string', value: 'KEY', help: 'the organisation', required: true };

export const steps: Command = {
  name: 'steps',
  summary: 'Shows what publishes left for afterwards: indexes, validations, fillings, purges',
  options: {
    tenant: TENANT,
    run: { type: 'boolean', help: 'works off what waits, here and now' },
    retry: { type: 'string', value: 'N', help: 'gives a step that failed or was cancelled another chance' },
    cancel: { type: 'string', value: 'N', help: 'takes a step back; the next publish proposes it anew' },
  },
  details: 'A running server works them off by itself, and those that were left when it starts.',
  run: async (context, given) => {
    const tenant = given.required('tenant');
    const services = await openTenant(context, tenant);
    const [retry, cancel] = [numberOf(given.text('retry'), 'retry'), numberOf(given.text('cancel'), 'cancel')];
    if (retry !== null) await services.steps.retry(tenant, retry);
    if (cancel !== null) await services.steps.cancel(tenant, cancel);
    if (given.flag('run') && (await services.stepRunner.drain(tenant)) === 'busy')
      throw new Failure('They are being worked off already.');
    const found = await services.steps.list(tenant);
    context.print(found.length === 0 ? 'There are none.' : stepsText(found));
    return found.some(({ state }) => state === 'failed') ? 1 : 0;
  },
};

function numberOf(text: string | undefined, option: string): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new UsageError(`--${option} is "${text}". It must be the number of a step.`);
  return Number(text);
}

function stepsText(found: readonly Step[]): string {
  const rows = found.map((step) => [`${step.number}`, `${step.release}`, stateOf(step), howFar(step), step.title]);
  const faults = found.flatMap(({ number, error }) => (error === null ? [] : [`${number}: ${error}`]));
  return [table(['step', 'release', 'state', 'records', 'what'], rows), ...faults].join('\n');
}

const stateOf = ({ state, supersededBy }: Step): string =>
  supersededBy === null ? state : `replaced by ${supersededBy}`;

function howFar({ done, total }: Step): string {
  if (total === null || total === 0) return '';
  return `${done.toLocaleString('en')} of about ${total.toLocaleString('en')}`;
}
