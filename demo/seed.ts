/** The shapes of the demo organisation's data. Records refer to each other by their place in these lists. */

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
