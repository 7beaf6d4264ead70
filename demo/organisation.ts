/**
 * The demo organisation: made at the first start of an installation with the embedded Postgres, through the one write
 * path, by its own administrator. A start that was interrupted is taken up where it stopped.
 */
import type { DemoSignIns } from '../engine/banner.ts';
import { derive } from '../engine/db/bootstrap.ts';
import { scopeFor } from '../engine/identity/scope-for.ts';
import { administratorPrincipal } from '../engine/identity/service-principals.ts';
import { addAdministrator, createOrganisation } from '../engine/organisation.ts';
import { Problem } from '../engine/problem.ts';
import type { Scope } from '../engine/records/scope.ts';
import type { Services } from '../engine/services.ts';
import { fillTeams, fillUp, fillUsers, userByEmail } from './fill.ts';
import type { Size } from './generate.ts';
import { FULL, generate, NAME } from './generate.ts';
import { readProgress, writeProgress } from './progress.ts';
import {
  articleBodies,
  campaignBodies,
  memberBodies,
  priceBookBodies,
  quoteBodies,
  slaBodies,
  subscriptionBodies,
  ticketBodies,
} from './customers.ts';
import type { About, Body } from './records.ts';
import {
  accountBodies,
  activityBodies,
  contactBodies,
  leadBodies,
  opportunityBodies,
  productBodies,
} from './records.ts';
import type { Organisation, Role } from './seed.ts';

export const KEY = 'demo';
const DAY = 86_400_000;

export interface DemoOptions {
  /** The installation's folder, where the progress is noted. */
  readonly home: string;
  /** Stops after the records under way. */
  readonly signal: AbortSignal;
  readonly size?: Size;
}

/**
 * Makes the demo organisation unless it is there.
 * @returns who can sign in, or `null` when the organisation called `demo` is somebody's own
 */
export async function ensureDemo(services: Services, options: DemoOptions): Promise<DemoSignIns | null> {
  const known = await readProgress(options.home);
  const exists = await hasTenant(services);
  if (exists && !known) return null;
  const today = (exists ? known?.today : undefined) ?? Math.floor(services.clock.now() / DAY) * DAY;
  const organisation = generate(today, options.size ?? FULL);
  const password = demoPassword(services.secret);
  const people = signIns(organisation, password);
  if (exists && known?.done) return people;

  await writeProgress(options.home, { today, done: false });
  if (await fill(services, organisation, password, today, options.signal))
    await writeProgress(options.home, { today, done: true });
  return people;
}

/** One password for all demo users of this installation; without the installation's secret nobody knows it. */
export function demoPassword(secret: string): string {
  const letters = derive(secret, 'demo password')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '');
  return `${letters.slice(0, 4)}-${letters.slice(4, 8)}-${letters.slice(8, 12)}`;
}

function signIns(organisation: Organisation, password: string): DemoSignIns {
  const label: Readonly<Record<Role, string>> = {
    administrator: 'administrator',
    manager: 'manager',
    sales_rep: 'sales rep',
    support: 'support',
  };
  const first = (role: Role, team?: string) =>
    organisation.users.find((user) => user.role === role && (team === undefined || user.team === team));
  const shown = [first('administrator'), first('manager', 'north'), first('sales_rep', 'north')];
  return {
    organisation: NAME,
    password,
    people: shown.flatMap((user) =>
      user ? [{ role: label[user.role], name: `${user.first} ${user.last}`, email: user.email }] : [],
    ),
  };
}

async function hasTenant(services: Services): Promise<boolean> {
  try {
    await services.models.get(KEY);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return false;
    throw error;
  }
}

/** @returns whether it came to the end */
async function fill(
  services: Services,
  organisation: Organisation,
  password: string,
  today: number,
  signal: AbortSignal,
): Promise<boolean> {
  const scope = await administratorScope(services, organisation, password);
  const teams = await fillTeams(services, scope, organisation);
  const users = await fillUsers(services, scope, organisation, teams, password);
  const make = (entity: string, bodies: readonly Body[]) => fillUp(services, scope, entity, bodies, signal);
  const products = await make('crm.product', productBodies(organisation));
  const accounts = await make('crm.account', accountBodies(organisation, { users }));
  const contacts = await make('crm.contact', contactBodies(organisation, { users, accounts }));
  const about: About[] = [];
  /** Activities can be about them. */
  const keep = async (entity: string, bodies: readonly Body[]) => {
    const ids = await make(entity, bodies);
    about.push({ entity, ids, bodies });
    return ids;
  };
  await keep('crm.lead', leadBodies(organisation, { users }));
  const deals = { users, products, accounts, contacts };
  const opportunities = await make('crm.opportunity', opportunityBodies(organisation, deals));
  const made = { ...deals, opportunities, teams };
  const [sla] = await make('crm.sla', slaBodies());
  await keep('crm.ticket', ticketBodies(organisation, made, today, sla));
  await make('crm.article', articleBodies());
  const [priceBook] = await make('crm.price_book', priceBookBodies(organisation, made));
  await keep('crm.quote', quoteBodies(organisation, made, today, priceBook));
  await keep('crm.subscription', subscriptionBodies(organisation, made, today));
  const campaigns = await keep('crm.campaign', campaignBodies(today));
  await make('crm.campaign_member', memberBodies(organisation, made, campaigns));
  await make('crm.activity', activityBodies(organisation, made, about));
  return !signal.aborted;
}

async function administratorScope(services: Services, { users }: Organisation, password: string): Promise<Scope> {
  const [first] = users;
  if (!first) throw new RangeError('the demo organisation has nobody');
  const administrator = { email: first.email, name: `${first.first} ${first.last}`, password };
  if (!(await hasTenant(services))) {
    const place = { country: 'DE', currency: 'EUR', timeZone: 'Europe/Berlin', locale: 'en' };
    await createOrganisation(services, { key: KEY, name: NAME, ...place, packs: ['crm'], administrator });
  }
  const provisioning = await scopeFor(
    services.models,
    administratorPrincipal(await services.models.get(KEY), 'provisioning'),
  );
  const known = await userByEmail(services, provisioning, administrator.email);
  const userId = known ?? (await addAdministrator(services, KEY, administrator)).userId;
  const principal = await services.identity.principalOf(KEY, userId);
  if (!principal) throw new RangeError('the demo organisation’s administrator may not sign in');
  return scopeFor(services.models, principal);
}
