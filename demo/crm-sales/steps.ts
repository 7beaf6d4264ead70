/** What is imported, in which order, and how each column becomes a field. The files' own spellings are repaired by rules here, in sight. */
import { Decimal } from 'decimal.js';
import type { Json } from '../client.ts';
import type { Row, Source } from './files.ts';
import { toCsv } from './files.ts';
import { emailOf, organisationOf } from './people.ts';

export interface Step {
  readonly title: string;
  /** Address of the entity. */
  readonly path: string;
  /** Name of the file, also of its error file. */
  readonly file: string;
  readonly csv: string;
  readonly rows: number;
  readonly settings: Json;
}

const JOB = { administrator: 'Administrator', manager: 'Sales Manager', sales_rep: 'Sales Agent' } as const;

export function stepsOf(source: Source): readonly Step[] {
  return [...people(source), products(source), ...accounts(source), opportunities(source)].filter(
    ({ rows }) => rows > 0,
  );
}

function step(
  title: string,
  path: string,
  file: string,
  rows: readonly Row[],
  columns: readonly string[],
  settings: Json,
): Step {
  return { title, path, file, csv: toCsv(rows, columns), rows: rows.length, settings };
}

/** Records that refer to others of the same file are made first and told whom they belong to afterwards. */
function people(source: Source): Step[] {
  const { teams, members } = organisationOf(source);
  const columns = ['name', 'parent'];
  const teamRows = teams.map(({ name, parent }) => ({ name, parent }));
  const users = members.map(({ first, last, email, role, team }) => ({
    name: `${first} ${last}`,
    email,
    roles: role,
    team,
    department: role === 'administrator' ? 'administration' : 'sales',
    job_title: JOB[role],
  }));
  return [
    step('Teams', '/api/core/v1/teams', 'teams.csv', teamRows, columns, { mapping: { name: { field: 'name' } } }),
    step(
      'Teams: what they are part of',
      '/api/core/v1/teams',
      'teams-parents.csv',
      teamRows.filter(({ parent }) => parent),
      columns,
      {
        mapping: { name: { field: 'name' }, parent: { field: 'parent', by: 'name' } },
        upsertBy: ['name'],
      },
    ),
    step(
      'Users',
      '/api/core/v1/users',
      'users.csv',
      users,
      ['name', 'email', 'roles', 'team', 'department', 'job_title'],
      {
        mapping: {
          name: { field: 'name' },
          email: { field: 'email' },
          roles: { field: 'roles' },
          team: { field: 'team', by: 'name' },
          department: { field: 'department' },
          job_title: { field: 'job_title' },
        },
        // The administrator is there already.
        upsertBy: ['email'],
      },
    ),
  ];
}

function products(source: Source): Step {
  return step(
    'Products',
    '/api/crm/v1/products',
    'products.csv',
    source.products,
    ['product', 'series', 'sales_price'],
    {
      mapping: { product: { field: 'name' }, series: { field: 'series' }, sales_price: { field: 'list_price' } },
    },
  );
}

function accounts(source: Source): Step[] {
  const rows = source.accounts.map((row) => ({
    ...row,
    external_id: row['account'] ?? '',
    // The file counts in millions.
    revenue: row['revenue'] ? new Decimal(row['revenue']).times(1_000_000).toFixed(2) : '',
  }));
  const columns = [
    'account',
    'external_id',
    'sector',
    'year_established',
    'revenue',
    'employees',
    'office_location',
    'subsidiary_of',
  ];
  const path = '/api/crm/v1/accounts';
  const subsidiaries = rows.filter((row: Row) => row['subsidiary_of']);
  return [
    step('Accounts', path, 'accounts.csv', rows, columns, {
      mapping: {
        account: { field: 'name' },
        external_id: { field: 'external_id' },
        sector: { field: 'sector', rule: { map: { technolgy: 'technology' } } },
        year_established: { field: 'founded_year' },
        revenue: { field: 'annual_revenue' },
        employees: { field: 'employees' },
        office_location: { field: 'billing_country', rule: { map: { Philipines: 'Philippines' } } },
      },
    }),
    step('Accounts: parent companies', path, 'accounts-parents.csv', subsidiaries, columns, {
      mapping: { external_id: { field: 'external_id' }, subsidiary_of: { field: 'parent', by: 'external_id' } },
      upsertBy: ['external_id'],
    }),
  ];
}

function opportunities(source: Source): Step {
  const rows = source.sales_pipeline.map((row) => ({
    ...row,
    name: `${row['product'] ?? ''} for ${row['account'] || 'a customer not named'}`,
    owner: emailOf(row['sales_agent'] ?? ''),
  }));
  const columns = [
    'opportunity_id',
    'name',
    'owner',
    'product',
    'account',
    'deal_stage',
    'engage_date',
    'close_date',
    'close_value',
  ];
  return step('Opportunities', '/api/crm/v1/opportunities', 'sales_pipeline.csv', rows, columns, {
    mapping: {
      opportunity_id: { field: 'external_id' },
      name: { field: 'name' },
      owner: { field: 'owner', by: 'email' },
      product: { field: 'product', by: 'name', rule: { map: { GTXPro: 'GTX Pro' } } },
      account: { field: 'account', by: 'external_id' },
      deal_stage: {
        field: 'stage',
        rule: { map: { Won: 'won', Lost: 'lost', Engaging: 'engaging', Prospecting: 'prospecting' } },
      },
      engage_date: { field: 'engage_date' },
      close_date: { field: 'close_date' },
      close_value: { field: 'amount' },
    },
  });
}
