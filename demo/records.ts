/** The demo organisation's data as the bodies of its records. What a record refers to is made before it. */
import type { Organisation, SeedActivity, SeedContact, SeedOpportunity } from './seed.ts';

export type Body = Readonly<Record<string, unknown>>;

/** Ids of the records already made, in the order of the data they were made from. */
export interface Made {
  readonly users: readonly string[];
  readonly products: readonly string[];
  readonly accounts: readonly string[];
  readonly contacts: readonly string[];
  readonly opportunities: readonly string[];
}

/** Our sectors → those of the CRM's accounts. */
const SECTOR: Readonly<Record<string, string>> = {
  construction: 'services',
  energy: 'services',
  logistics: 'services',
  healthcare: 'medical',
  food: 'retail',
};

const LOSS_REASON: Readonly<Record<string, string>> = {
  'Price too high': 'price',
  'Chose a competitor': 'competitor',
  'Project cancelled': 'timing',
  'No budget this year': 'no_budget',
  'No answer': 'no_decision',
};

const PROBABILITY: Readonly<Record<SeedOpportunity['stage'], string>> = {
  prospecting: '20',
  engaging: '50',
  won: '100',
  lost: '0',
};

export function teamBody(team: Organisation['teams'][number], ids: ReadonlyMap<string, string>): Body {
  return { name: team.name, ...(team.parent === null ? {} : { parent: ids.get(team.parent) ?? null }) };
}

export function userBody(user: Organisation['users'][number], team: string | null): Body {
  const { email, department } = user;
  return { name: `${user.first} ${user.last}`, email, roles: [user.role], team, department, job_title: user.jobTitle };
}

export function productBodies({ products }: Organisation): Body[] {
  return products.map(({ code, name, series, price }) => ({ code, name, series, list_price: price }));
}

export function accountBodies({ accounts }: Organisation, made: Pick<Made, 'users'>): Body[] {
  return accounts.map((account) => ({
    name: account.name,
    sector: SECTOR[account.sector] ?? account.sector,
    website: account.website,
    phone: account.phone,
    employees: account.employees,
    annual_revenue: account.revenue,
    founded_year: account.founded,
    billing_city: account.city,
    billing_country: account.country,
    owner: made.users[account.owner],
  }));
}

export function contactBodies({ accounts, contacts }: Organisation, made: Pick<Made, 'users' | 'accounts'>): Body[] {
  return contacts.map((contact: SeedContact) => ({
    first_name: contact.first,
    last_name: contact.last,
    email: contact.email,
    phone: contact.phone,
    job_title: contact.jobTitle,
    account: made.accounts[contact.account],
    country: accounts[contact.account]?.country,
    city: accounts[contact.account]?.city,
    owner: made.users[accounts[contact.account]?.owner ?? 0],
  }));
}

export function leadBodies({ leads }: Organisation, made: Pick<Made, 'users'>): Body[] {
  return leads.map((lead) => ({
    first_name: lead.first,
    last_name: lead.last,
    company: lead.company,
    job_title: lead.jobTitle,
    status: lead.working ? 'working' : 'new',
    source: lead.source,
    score: lead.score,
    sector: SECTOR[lead.sector] ?? lead.sector,
    email: lead.email,
    country: lead.country,
    owner: made.users[lead.owner],
  }));
}

/** An amount is the sum of its lines; they add to it to the cent, whole cents being what the line's formula rounds to. */
export function opportunityBodies(
  { accounts, products, opportunities }: Organisation,
  made: Pick<Made, 'users' | 'products' | 'accounts' | 'contacts'>,
): Body[] {
  return opportunities.map((deal) => {
    const lines = deal.lines.map(({ product, quantity, discount }) => {
      const { name = '', price = '0.00' } = products[product] ?? {};
      const cents = Math.round(Number(price) * 100) * quantity;
      return {
        cents: Math.round((cents * (100 - discount)) / 100),
        body: {
          product: made.products[product],
          description: name,
          quantity: `${quantity}`,
          unit_price: price,
          discount: `${discount}`,
        },
      };
    });
    const cents = lines.reduce((sum, line) => sum + line.cents, 0);
    return {
      name: deal.name,
      account: made.accounts[deal.account],
      contact: deal.contact === null ? null : made.contacts[deal.contact],
      product: made.products[deal.lines[0]?.product ?? 0],
      stage: deal.stage,
      amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`,
      probability: PROBABILITY[deal.stage],
      engage_date: deal.engaged,
      close_date: deal.closes,
      ...(deal.lostReason === null ? {} : { loss_reason: LOSS_REASON[deal.lostReason] ?? 'other' }),
      owner: made.users[accounts[deal.account]?.owner ?? 0],
      lines: lines.map((line) => line.body),
    };
  });
}

/** Records that activities are about, beside accounts, contacts and opportunities. */
export interface About {
  readonly entity: string;
  readonly ids: readonly string[];
  readonly bodies: readonly Body[];
}

/** Of so many activities one is about a lead, a ticket, …, and belongs to whoever that belongs to. */
const ABOUT_EVERY = 10;

export function activityBodies({ activities }: Organisation, made: Made, about: readonly About[]): Body[] {
  return activities.map((activity: SeedActivity, index) => ({
    kind: activity.kind,
    subject: activity.subject,
    status: activity.done ? 'done' : 'open',
    due_at: `${activity.due}T09:00:00Z`,
    ...(activity.done ? { completed_at: `${activity.due}T15:30:00Z` } : {}),
    ...((index % ABOUT_EVERY === 0 && regarding(about, index / ABOUT_EVERY)) || {
      account: made.accounts[activity.account],
      contact: activity.contact === null ? null : made.contacts[activity.contact],
      opportunity: activity.opportunity === null ? null : made.opportunities[activity.opportunity],
      owner: made.users[activity.owner],
    }),
  }));
}

function regarding(about: readonly About[], turn: number): Body | null {
  const of = about[turn % about.length];
  const at = of ? Math.floor(turn / about.length) % Math.max(1, of.ids.length) : 0;
  const id = of?.ids[at];
  if (!of || !id) return null;
  const owner = of.bodies[at]?.['owner'];
  return { regarding: { entity: of.entity, id }, ...(owner !== undefined && { owner }) };
}
