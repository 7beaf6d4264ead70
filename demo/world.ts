/** What the demo organisation is made of: teams, sectors, places, products, words. */
import type { Role, SeedActivity, SeedTeam } from './seed.ts';

export const TEAMS: readonly SeedTeam[] = [
  { key: 'head', name: 'Head office', parent: null },
  { key: 'north', name: 'Region North', parent: 'head' },
  { key: 'south', name: 'Region South', parent: 'head' },
  { key: 'harbour', name: 'Harbour cities', parent: 'north' },
  { key: 'service', name: 'Customer service', parent: 'head' },
];

/** Team → how many sales representatives or supporters it has besides its manager. */
export const STAFF: readonly (readonly [string, Role, number])[] = [
  ['north', 'sales_rep', 7],
  ['south', 'sales_rep', 7],
  ['harbour', 'sales_rep', 5],
  ['service', 'support', 5],
];

export const SECTORS: readonly (readonly [string, number])[] = [
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

export interface Country {
  readonly code: string;
  readonly dial: string;
  readonly cities: readonly string[];
}

/** Numbers are built from ranges that no network hands out, or that stay short of a subscriber's. */
export const COUNTRIES: readonly (readonly [Country, number])[] = [
  [{ code: 'DE', dial: '+4930', cities: ['Berlin', 'Hamburg', 'Bremen', 'Rostock', 'Kassel', 'Ulm'] }, 34],
  [{ code: 'NO', dial: '+4722', cities: ['Oslo', 'Bergen', 'Stavanger', 'Halden'] }, 18],
  [{ code: 'SE', dial: '+468', cities: ['Stockholm', 'Malmö', 'Göteborg'] }, 14],
  [{ code: 'DK', dial: '+4533', cities: ['Aarhus', 'Odense', 'Esbjerg'] }, 10],
  [{ code: 'NL', dial: '+3120', cities: ['Rotterdam', 'Utrecht', 'Zwolle'] }, 10],
  [{ code: 'AT', dial: '+431', cities: ['Linz', 'Graz', 'Wien'] }, 8],
  [{ code: 'CH', dial: '+4144', cities: ['Basel', 'Zürich', 'Bern'] }, 6],
];

export const JOBS = [
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

export const SERIES: readonly (readonly [string, string, readonly (readonly [string, number])[]])[] = [
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

export const SUBJECTS: Readonly<Record<SeedActivity['kind'], readonly string[]>> = {
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

export const LOST = [
  'Price too high',
  'Chose a competitor',
  'Project cancelled',
  'No budget this year',
  'No answer',
] as const;
