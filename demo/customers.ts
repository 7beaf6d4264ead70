/** What comes after a sale: tickets, quotes, subscriptions, articles, campaigns. No dice: the n-th is always the same. */
import type { Body, Made } from './records.ts';
import type { Organisation } from './seed.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const day = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
const at = (moment: number): string => new Date(moment).toISOString();
/** The n-th of a list that begins anew at its end. */
const nth = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];

interface World extends Made {
  /** Id by the team's key. */
  readonly teams: ReadonlyMap<string, string>;
}

export function slaBodies(): Body[] {
  const targets = (hours: readonly number[]) => {
    const [urgent = 0, high = 0, normal = 0, low = 0] = hours.map((each) => each * 60);
    const response = { response_urgent: urgent, response_high: high, response_normal: normal, response_low: low };
    return {
      ...response,
      resolution_urgent: urgent * 8,
      resolution_high: high * 6,
      resolution_normal: normal * 5,
      resolution_low: low * 5,
    };
  };
  return [
    { name: 'Standard service', ...targets([1, 2, 8, 16]) },
    { name: 'Extended service', ...targets([0.5, 1, 4, 8]) },
  ];
}

const COMPLAINTS: readonly (readonly [string, string, string])[] = [
  ['Bearing runs hot after two weeks', 'fault', 'high'],
  ['Which oil for the planetary gear?', 'question', 'normal'],
  ['Pallet with pump arrived one day late', 'delivery', 'low'],
  ['Invoice shows the old address', 'billing', 'normal'],
  ['Robot cell stops with code 41', 'fault', 'urgent'],
  ['Manual in Norwegian', 'wish', 'low'],
];
const STATES = ['closed', 'solved', 'closed', 'open', 'pending', 'new'];

export function ticketBodies(
  { accounts, users, contacts }: Organisation,
  made: World,
  today: number,
  sla: string | undefined,
): Body[] {
  const agents = users.flatMap(({ role }, index) => (role === 'support' ? [made.users[index]] : []));
  const count = Math.min(150, Math.ceil(accounts.length * 0.75));
  return Array.from({ length: count }, (_, n) => {
    const [subject, category, priority] = nth(COMPLAINTS, n) ?? ['', 'other', 'normal'];
    const status = nth(STATES, n + Math.floor(n / STATES.length)) ?? 'new';
    const over = status === 'closed' || status === 'solved';
    const opened = today - (over ? 20 + ((n * 7) % 200) : n % 6) * DAY + 9 * HOUR + (n % 5) * HOUR;
    const contact = (n * 13) % Math.max(1, contacts.length);
    return {
      subject,
      description: `<p>${subject}. Please call us back.</p>`,
      account: made.accounts[contacts[contact]?.account ?? 0],
      contact: made.contacts[contact],
      channel: nth(['email', 'phone', 'web'], n),
      category,
      priority,
      status,
      team: made.teams.get('service'),
      sla,
      opened_at: at(opened),
      ...(status === 'new' ? {} : { first_responded_at: at(opened + (1 + (n % 4)) * HOUR) }),
      ...(over ? { solved_at: at(opened + (1 + (n % 4)) * DAY), solution: 'Answered by telephone.' } : {}),
      ...(status === 'closed' ? { closed_at: at(opened + 6 * DAY) } : {}),
      owner: nth(agents, n),
    };
  });
}

export function articleBodies(): Body[] {
  return [
    ['Greasing bearings', 'how_to'],
    ['What error code 41 means', 'troubleshooting'],
    ['Unpacking a pump', 'getting_started'],
    ['Returning parts', 'policy'],
    ['Choosing a gear', 'how_to'],
  ].map(([title, category], n) => ({
    title,
    category,
    body: `<p>${title}: what to do, step by step.</p>`,
    status: n < 4 ? 'published' : 'draft',
  }));
}

export function priceBookBodies({ products }: Organisation, made: World): Body[] {
  const entries = products.map(({ code, price }, n) => ({ product: made.products[n], code, price }));
  return [{ name: 'List prices', currency: 'EUR', entries }];
}

const QUOTED = { won: 'accepted', lost: 'declined', engaging: 'sent', prospecting: 'draft' } as const;

export function quoteBodies(
  { opportunities, products, accounts }: Organisation,
  made: World,
  today: number,
  priceBook: string | undefined,
): Body[] {
  return opportunities.slice(0, Math.min(100, Math.ceil(opportunities.length / 4))).map((deal, n) => {
    const status = QUOTED[deal.stage];
    return {
      name: deal.name,
      account: made.accounts[deal.account],
      contact: deal.contact === null ? null : made.contacts[deal.contact],
      opportunity: made.opportunities[n],
      price_book: priceBook,
      status,
      ...(status === 'draft' ? {} : { sent_at: `${deal.engaged ?? deal.closes}T10:00:00Z` }),
      valid_until: day(status === 'draft' ? today + 30 * DAY : Date.parse(deal.closes) + 14 * DAY),
      owner: made.users[accounts[deal.account]?.owner ?? 0],
      lines: deal.lines.map(({ product, quantity, discount }) => ({
        product: made.products[product],
        description: products[product]?.name ?? 'Part',
        quantity: `${quantity}`,
        unit_price: products[product]?.price ?? '0.00',
        discount: `${discount}`,
        tax: '19',
      })),
    };
  });
}

export function subscriptionBodies({ accounts, products }: Organisation, made: World, today: number): Body[] {
  const services = products.flatMap(({ series, price }, n) => (series === 'Service' ? [{ price, n }] : []));
  return Array.from({ length: Math.min(120, Math.ceil(accounts.length / 2)) }, (_, n) => {
    const account = (n * 17) % accounts.length;
    const service = nth(services, n);
    const starts = today - (30 + ((n * 11) % 600)) * DAY;
    return {
      account: made.accounts[account],
      product: made.products[service?.n ?? 0],
      status: nth(['active', 'active', 'active', 'trial'], n),
      quantity: 1 + (n % 3),
      price: service?.price ?? '100.00',
      interval: nth(['year', 'month', 'quarter'], n),
      starts_on: day(starts),
      renews_on: day(today + (10 + ((n * 7) % 300)) * DAY),
      owner: made.users[accounts[account]?.owner ?? 0],
    };
  });
}

export function campaignBodies(today: number): Body[] {
  return [
    ['Spring fair', 'event', -120, 'finished', '18000'],
    ['Bearings by post', 'mailing', -60, 'finished', '6500'],
    ['Less downtime', 'webinar', -10, 'running', '2400'],
    ['Service year', 'email', -3, 'running', '900'],
    ['Autumn fair', 'event', 90, 'planned', '20000'],
  ].map(([name, kind, from, status, budget]) => ({
    name,
    kind,
    status,
    budget,
    starts_on: day(today + Number(from) * DAY),
    ends_on: day(today + (Number(from) + 20) * DAY),
  }));
}

/** Eighteen contacts or more for each campaign. */
export function memberBodies({ contacts }: Organisation, made: World, campaigns: readonly string[]): Body[] {
  const count = campaigns.length * Math.min(60, Math.max(18, Math.floor(contacts.length / 100)));
  return Array.from({ length: count }, (_, n) => ({
    campaign: nth(campaigns, n),
    contact: made.contacts[(n * 7) % Math.max(1, contacts.length)],
    status: nth(['sent', 'responded', 'sent', 'planned', 'sent', 'converted', 'declined'], n),
  }));
}
