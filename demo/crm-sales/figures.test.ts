import { expect, test } from 'vitest';
import type { Source } from './files.ts';
import { expectedFigures, winRate } from './figures.ts';
import { emailOf, organisationOf } from './people.ts';

const deal = (agent: string, stage: string, value: string) => ({
  sales_agent: agent,
  deal_stage: stage,
  close_value: value,
});
const source: Source = {
  accounts: [],
  products: [],
  sales_teams: [
    { sales_agent: 'Ann Bee', manager: 'Cy Dee', regional_office: 'West' },
    { sales_agent: 'Eve-Li Fox', manager: 'Cy Dee', regional_office: 'West' },
    { sales_agent: 'Gus Hill', manager: 'Ida Joy', regional_office: 'East' },
  ],
  sales_pipeline: [
    deal('Ann Bee', 'Won', '0.10'),
    deal('Ann Bee', 'Won', '0.20'),
    deal('Gus Hill', 'Lost', '0'),
    deal('Eve-Li Fox', 'Engaging', ''),
  ],
};

test('an office stands over the teams of its managers, and every agent is in one of them', () => {
  const { teams, members } = organisationOf(source);
  expect(teams).toContainEqual({ name: 'Team Cy Dee', parent: 'West office' });
  expect(teams).toContainEqual({ name: 'West office', parent: 'Head office' });
  expect(members.map(({ email, role, team }) => [email, role, team])).toEqual([
    ['admin@crm-sales.example', 'administrator', 'Head office'],
    ['cy.dee@crm-sales.example', 'manager', 'Team Cy Dee'],
    ['ida.joy@crm-sales.example', 'manager', 'Team Ida Joy'],
    ['ann.bee@crm-sales.example', 'sales_rep', 'Team Cy Dee'],
    ['eve-li.fox@crm-sales.example', 'sales_rep', 'Team Cy Dee'],
    ['gus.hill@crm-sales.example', 'sales_rep', 'Team Ida Joy'],
  ]);
});

test('everybody is expected to see what is theirs, to the cent', () => {
  const expected = expectedFigures(source);
  expect(expected.get('admin@crm-sales.example')).toEqual({ opportunities: 4, won: 2, lost: 1, wonAmount: '0.30' });
  expect(expected.get(emailOf('Cy Dee'))).toEqual({ opportunities: 3, won: 2, lost: 0, wonAmount: '0.30' });
  expect(expected.get(emailOf('Gus Hill'))).toEqual({ opportunities: 1, won: 0, lost: 1, wonAmount: '0.00' });
});

test('a win rate is that of what was decided', () => {
  expect(winRate({ won: 4238, lost: 2473 })).toBe('63.15');
  expect(winRate({ won: 0, lost: 0 })).toBe('–');
});
