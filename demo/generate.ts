/**
 * The demo organisation as plain data: a maker of machine parts with two sales regions. The same seed and the same day
 * give the same organisation, down to the ids' order. How it becomes records is said in `records.ts`.
 */
import { companyName, personName, slug } from './names.ts';
import { Random } from './random.ts';
import type {
  Organisation,
  Role,
  SeedAccount,
  SeedActivity,
  SeedContact,
  SeedLead,
  SeedLine,
  SeedOpportunity,
  SeedProduct,
  SeedUser,
  Stage,
} from './seed.ts';
import type { Country } from './world.ts';
import { TEAMS, STAFF, SECTORS, COUNTRIES, JOBS, SERIES, SUBJECTS, LOST } from './world.ts';

export const SEED = 20_260_107;
export const NAME = 'Halden Works';
const DOMAIN = 'demo.example';

export interface Size {
  readonly accounts: number;
  readonly contacts: number;
  readonly leads: number;
  readonly opportunities: number;
  readonly activities: number;
}

export const FULL: Size = { accounts: 2000, contacts: 6000, leads: 400, opportunities: 3000, activities: 8000 };

const DAY = 86_400_000;
const MONTH = 30.44 * DAY;
const date = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/**
 * @param today the last day of the two years of business, milliseconds since the epoch
 */
export function generate(today: number, size: Size = FULL, seed: number = SEED): Organisation {
  const random = new Random(seed);
  const users = makeUsers(random);
  const reps = users.flatMap(({ role }, index) => (role === 'sales_rep' ? [index] : []));
  const products = makeProducts();
  const accounts = makeAccounts(random, size.accounts, reps);
  const contacts = makeContacts(random, size.contacts, accounts);
  const byAccount = Map.groupBy(contacts.keys(), (index) => contacts[index]?.account ?? 0);
  const someContact = (account: number) => {
    const known = byAccount.get(account);
    return known ? random.pick(known) : null;
  };
  const opportunities = makeOpportunities(random, size.opportunities, today, accounts, products, someContact);
  const activities = makeActivities(random, size.activities, today, accounts, opportunities, someContact);
  const leads = makeLeads(random, size.leads, reps);
  return { teams: TEAMS, users, products, accounts, contacts, leads, opportunities, activities };
}

function makeUsers(random: Random): SeedUser[] {
  const taken = new Set<string>();
  const make = (role: Role, team: string, jobTitle: string): SeedUser => {
    for (;;) {
      const { first, last } = personName(random);
      const email = `${slug(first)}.${slug(last)}@${DOMAIN}`;
      if (taken.has(email)) continue;
      taken.add(email);
      const department = team === 'service' ? 'service' : role === 'administrator' ? 'administration' : 'sales';
      return { email, first, last, role, team, department, jobTitle };
    }
  };
  const users = [make('administrator', 'head', 'Head of IT')];
  users.push(make('manager', 'head', 'Head of Sales'));
  for (const [team, role, count] of STAFF) {
    users.push(make('manager', team, role === 'support' ? 'Service Manager' : 'Sales Manager'));
    for (let n = 0; n < count; n++)
      users.push(make(role, team, role === 'support' ? 'Service Agent' : 'Sales Representative'));
  }
  return users;
}

function makeProducts(): SeedProduct[] {
  return SERIES.flatMap(([series, letter, items]) =>
    items.map(([name, price], index) => ({ code: `${letter}-${101 + index}`, name, series, price: price.toFixed(2) })),
  );
}

const REVENUE_PER_HEAD = 165_000;

function makeAccounts(random: Random, count: number, reps: readonly number[]): SeedAccount[] {
  const taken = new Set<string>();
  const accounts: SeedAccount[] = [];
  while (accounts.length < count) {
    const sector = random.weighted(SECTORS);
    const name = companyName(random, sector);
    if (taken.has(name)) continue;
    taken.add(name);
    const country = random.weighted(COUNTRIES);
    const employees = Math.min(40_000, Math.max(3, Math.round(random.skewed(120, 1.3))));
    const revenue = Math.round((employees * random.skewed(REVENUE_PER_HEAD, 0.4)) / 1000) * 1000;
    accounts.push({
      name,
      sector,
      country: country.code,
      city: random.pick(country.cities),
      website: `https://${slug(name)}.example`,
      phone: phone(random, country),
      employees,
      revenue: revenue.toFixed(2),
      founded: random.integer(1921, 2022),
      owner: random.pick(reps),
    });
  }
  return accounts;
}

function phone(random: Random, country: Country): string {
  const length = { DE: 7, NO: 6, SE: 7, DK: 6, NL: 7, AT: 7, CH: 7 }[country.code] ?? 7;
  return `${country.dial}${String(random.integer(10 ** (length - 1) * 2, 10 ** length - 1))}`;
}

function makeContacts(random: Random, count: number, accounts: readonly SeedAccount[]): SeedContact[] {
  const taken = new Set<string>();
  const contacts: SeedContact[] = [];
  while (contacts.length < count) {
    // Everybody has one; the rest go where luck takes them.
    const account = contacts.length < accounts.length ? contacts.length : random.integer(0, accounts.length - 1);
    const { first, last } = personName(random);
    const { name = '', phone: main = '' } = accounts[account] ?? {};
    const email = `${slug(first)}.${slug(last)}@${slug(name)}.example`;
    if (taken.has(email)) continue;
    taken.add(email);
    contacts.push({ first, last, email, phone: main, jobTitle: random.pick(JOBS), account });
  }
  return contacts;
}

function makeLeads(random: Random, count: number, reps: readonly number[]): SeedLead[] {
  return Array.from({ length: count }, () => {
    const sector = random.weighted(SECTORS);
    const company = companyName(random, sector);
    const { first, last } = personName(random);
    return {
      first,
      last,
      company,
      sector,
      country: random.weighted(COUNTRIES).code,
      email: `${slug(first)}.${slug(last)}@${slug(company)}.example`,
      jobTitle: random.pick(JOBS),
      source: random.weighted<SeedLead['source']>([
        ['website', 34],
        ['event', 20],
        ['referral', 16],
        ['campaign', 14],
        ['cold_call', 10],
        ['partner', 6],
      ]),
      score: random.integer(5, 95),
      working: random.chance(0.45),
      owner: random.pick(reps),
    };
  });
}

function makeOpportunities(
  random: Random,
  count: number,
  today: number,
  accounts: readonly SeedAccount[],
  products: readonly SeedProduct[],
  contactOf: (account: number) => number | null,
): SeedOpportunity[] {
  return Array.from({ length: count }, (_, index) => {
    const account = random.integer(0, accounts.length - 1);
    const begun = today - 24 * MONTH + (24 * MONTH * index) / count + random.integer(0, 5) * DAY;
    const length = random.skewed(75, 0.6) * DAY;
    const decided = begun + length < today;
    const stage = decided
      ? random.weighted<Stage>([
          ['won', 61],
          ['lost', 36],
          ['engaging', 3],
        ])
      : random.weighted<Stage>([
          ['engaging', 70],
          ['prospecting', 30],
        ]);
    const over = stage === 'won' || stage === 'lost';
    // What is still open closes in the future, save the few that are overdue.
    const closes = over
      ? Math.min(begun + length, today)
      : Math.max(begun + length, today + random.integer(-12, 90) * DAY);
    const lines = makeLines(random, products);
    const main = products[lines[0]?.product ?? 0];
    return {
      name: `${main?.name ?? 'Machine'} for ${accounts[account]?.city ?? ''} ${random.pick(['plant', 'site', 'workshop', 'line'])}`,
      account,
      contact: contactOf(account),
      stage,
      engaged: stage === 'prospecting' ? null : date(begun),
      closes: date(closes),
      lines,
      lostReason: stage === 'lost' ? random.pick(LOST) : null,
    };
  });
}

function makeLines(random: Random, products: readonly SeedProduct[]): SeedLine[] {
  const chosen = new Set<number>();
  const wanted = random.weighted([
    [1, 45],
    [2, 30],
    [3, 17],
    [4, 8],
  ] as const);
  while (chosen.size < wanted) chosen.add(random.integer(0, products.length - 1));
  return [...chosen].map((product) => {
    const price = Number(products[product]?.price ?? 0);
    // Small parts go by the hundred, machines one by one.
    const quantity = Math.max(1, Math.round(random.skewed(Math.max(1, 6000 / price), 0.7)));
    return {
      product,
      quantity,
      discount: random.weighted([
        [0, 60],
        [5, 25],
        [10, 12],
        [15, 3],
      ] as const),
    };
  });
}

function makeActivities(
  random: Random,
  count: number,
  today: number,
  accounts: readonly SeedAccount[],
  opportunities: readonly SeedOpportunity[],
  contactOf: (account: number) => number | null,
): SeedActivity[] {
  return Array.from({ length: count }, () => {
    const opportunity =
      opportunities.length > 0 && random.chance(0.8) ? random.integer(0, opportunities.length - 1) : null;
    const deal = opportunity === null ? undefined : opportunities[opportunity];
    const account = deal?.account ?? random.integer(0, accounts.length - 1);
    const kind = random.weighted<SeedActivity['kind']>([
      ['call', 34],
      ['email', 26],
      ['meeting', 18],
      ['task', 16],
      ['note', 6],
    ]);
    const closes = deal ? Date.parse(deal.closes) : today + 20 * DAY;
    const begun = deal?.engaged ? Date.parse(deal.engaged) : closes - 120 * DAY;
    const due = Math.min(begun + random.next() * Math.max(DAY, closes - begun), today + 30 * DAY);
    return {
      kind,
      subject: random.pick(SUBJECTS[kind]),
      account,
      contact: contactOf(account),
      opportunity,
      due: date(due),
      done: due < today - 3 * DAY ? random.chance(0.97) : due < today && random.chance(0.7),
      owner: accounts[account]?.owner ?? 0,
    };
  });
}
