/**
 * The demo organisation as plain data: a maker of machine parts with two sales regions. The same seed and the same day
 * give the same organisation, down to the ids' order. How it becomes records is said in `records.ts`.
 */
import { companyName, personName, slug } from './names.ts';
import { Random } from './random.ts';

export const SEED = 20_260_107;
export const NAME = 'Halden Works';
const DOMAIN = 'demo.example';

export type Role = 'administrator' | 'manager' | 'sales_rep' | 'support';

export interface SeedTeam {
  readonly key: string;
  readonly name: string;
  /** Key of the team above. */
  readonly parent: string | null;
}

export interface SeedUser {
  readonly email: string;
  readonly first: string;
  readonly last: string;
  readonly role: Role;
  readonly team: string;
  readonly department: string;
  readonly jobTitle: string;
}

export interface SeedProduct {
  readonly code: string;
  readonly name: string;
  readonly series: string;
  /** Decimal string. */
  readonly price: string;
}

export interface SeedAccount {
  readonly name: string;
  readonly sector: string;
  readonly country: string;
  readonly city: string;
  readonly website: string;
  readonly phone: string;
  readonly employees: number;
  /** Decimal string. */
  readonly revenue: string;
  readonly founded: number;
  /** Index of the owner in `users`. */
  readonly owner: number;
}

export interface SeedContact {
  readonly first: string;
  readonly last: string;
  readonly email: string;
  readonly phone: string;
  readonly jobTitle: string;
  /** Index in `accounts`. */
  readonly account: number;
}

export type Stage = 'prospecting' | 'engaging' | 'won' | 'lost';

export interface SeedLine {
  /** Index in `products`. */
  readonly product: number;
  readonly quantity: number;
  readonly discount: number;
}

export interface SeedOpportunity {
  readonly name: string;
  readonly account: number;
  /** Index in `contacts`. */
  readonly contact: number | null;
  readonly stage: Stage;
  /** Dates as `YYYY-MM-DD`. */
  readonly engaged: string | null;
  readonly closes: string;
  readonly lines: readonly SeedLine[];
  readonly lostReason: string | null;
}

export interface SeedLead {
  readonly first: string;
  readonly last: string;
  readonly company: string;
  readonly sector: string;
  readonly country: string;
  readonly email: string;
  readonly jobTitle: string;
  readonly source: 'website' | 'referral' | 'campaign' | 'event' | 'partner' | 'cold_call';
  readonly score: number;
  readonly working: boolean;
  readonly owner: number;
}

export interface SeedActivity {
  readonly kind: 'call' | 'meeting' | 'email' | 'task' | 'note';
  readonly subject: string;
  readonly account: number;
  readonly contact: number | null;
  /** Index in `opportunities`. */
  readonly opportunity: number | null;
  readonly due: string;
  readonly done: boolean;
  readonly owner: number;
}

export interface Organisation {
  readonly teams: readonly SeedTeam[];
  readonly users: readonly SeedUser[];
  readonly products: readonly SeedProduct[];
  readonly accounts: readonly SeedAccount[];
  readonly contacts: readonly SeedContact[];
  readonly leads: readonly SeedLead[];
  readonly opportunities: readonly SeedOpportunity[];
  readonly activities: readonly SeedActivity[];
}

export interface Size {
  readonly accounts: number;
  readonly contacts: number;
  readonly leads: number;
  readonly opportunities: number;
  readonly activities: number;
}

export const FULL: Size = { accounts: 2000, contacts: 6000, leads: 400, opportunities: 3000, activities: 8000 };

const TEAMS: readonly SeedTeam[] = [
  { key: 'head', name: 'Head office', parent: null },
  { key: 'north', name: 'Region North', parent: 'head' },
  { key: 'south', name: 'Region South', parent: 'head' },
  { key: 'harbour', name: 'Harbour cities', parent: 'north' },
  { key: 'service', name: 'Customer service', parent: 'head' },
];

/** Team → how many sales representatives or supporters it has besides its manager. */
const STAFF: readonly (readonly [string, Role, number])[] = [
  ['north', 'sales_rep', 7],
  ['south', 'sales_rep', 7],
  ['harbour', 'sales_rep', 5],
  ['service', 'support', 5],
];

const SECTORS: readonly (readonly [string, number])[] = [
  ['manufacturing', 26],
  ['construction', 14],
  ['energy', 12],
  ['logistics', 12],
  ['technology', 10],
  ['healthcare', 7],
  ['food', 8],
  ['retail', 5],
  ['finance', 3],
  ['education', 3],
];

interface Country {
  readonly code: string;
  readonly dial: string;
  readonly cities: readonly string[];
}

/** Numbers are built from ranges that no network hands out, or that stay short of a subscriber's. */
const COUNTRIES: readonly (readonly [Country, number])[] = [
  [{ code: 'DE', dial: '+4930', cities: ['Berlin', 'Hamburg', 'Bremen', 'Rostock', 'Kassel', 'Ulm'] }, 34],
  [{ code: 'NO', dial: '+4722', cities: ['Oslo', 'Bergen', 'Stavanger', 'Halden'] }, 18],
  [{ code: 'SE', dial: '+468', cities: ['Stockholm', 'Malmö', 'Göteborg'] }, 14],
  [{ code: 'DK', dial: '+4533', cities: ['Aarhus', 'Odense', 'Esbjerg'] }, 10],
  [{ code: 'NL', dial: '+3120', cities: ['Rotterdam', 'Utrecht', 'Zwolle'] }, 10],
  [{ code: 'AT', dial: '+431', cities: ['Linz', 'Graz', 'Wien'] }, 8],
  [{ code: 'CH', dial: '+4144', cities: ['Basel', 'Zürich', 'Bern'] }, 6],
];

const JOBS = [
  'Head of Purchasing',
  'Buyer',
  'Plant Manager',
  'Production Engineer',
  'Maintenance Lead',
  'Managing Director',
  'Operations Manager',
  'Finance Manager',
  'Quality Manager',
  'Project Manager',
  'Technical Director',
  'Site Manager',
] as const;

const SERIES: readonly (readonly [string, string, readonly (readonly [string, number])[]])[] = [
  [
    'Bearing',
    'B',
    [
      ['Bearing B-20', 38],
      ['Bearing B-40', 64],
      ['Bearing B-80', 119],
      ['Bearing B-120 sealed', 210],
    ],
  ],
  [
    'Gear',
    'G',
    [
      ['Spur gear set G-1', 420],
      ['Helical gear set G-2', 690],
      ['Planetary gear G-5', 2380],
    ],
  ],
  [
    'Drive',
    'D',
    [
      ['Drive unit D-100', 3150],
      ['Drive unit D-250', 5400],
      ['Servo drive D-400', 9900],
    ],
  ],
  [
    'Pump',
    'P',
    [
      ['Coolant pump P-3', 860],
      ['Hydraulic pump P-7', 2740],
      ['Dosing pump P-9', 1490],
    ],
  ],
  [
    'Line',
    'L',
    [
      ['Conveyor section L-1', 6800],
      ['Packing cell L-4', 38500],
      ['Robot cell L-8', 84000],
    ],
  ],
  [
    'Service',
    'S',
    [
      ['Inspection', 950],
      ['Maintenance year', 4200],
      ['Operator training', 1800],
      ['Spare parts kit', 640],
    ],
  ],
];

const SUBJECTS: Readonly<Record<SeedActivity['kind'], readonly string[]>> = {
  call: ['First call', 'Call about the offer', 'Call back about delivery dates', 'Price talk', 'Check in'],
  meeting: [
    'Visit to the plant',
    'Kick-off meeting',
    'Presentation of the concept',
    'Negotiation',
    'Review of the year',
  ],
  email: ['Sent the offer', 'Sent drawings', 'Answered technical questions', 'Sent references', 'Sent contract draft'],
  task: [
    'Prepare the offer',
    'Clarify tolerances with production',
    'Check credit limit',
    'Order samples',
    'Update forecast',
  ],
  note: ['Prefers deliveries on Mondays', 'New plant planned', 'Competitor has offered too', 'Budget is set in autumn'],
};

const LOST = ['Price too high', 'Chose a competitor', 'Project cancelled', 'No budget this year', 'No answer'] as const;

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
