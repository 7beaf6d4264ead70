/** What the files say: counted from them alone, to be compared with what the product says. */
import { Decimal } from 'decimal.js';
import type { Row, Source } from './files.ts';
import { emailOf, organisationOf } from './people.ts';

export interface Figures {
  readonly opportunities: number;
  readonly won: number;
  readonly lost: number;
  /** Sum of the values of won opportunities, a decimal string with two places. */
  readonly wonAmount: string;
}

/** won / (won + lost) in percent with two places, `–` when nothing is decided. */
export function winRate({ won, lost }: Pick<Figures, 'won' | 'lost'>): string {
  if (won + lost === 0) return '–';
  return new Decimal(won)
    .div(won + lost)
    .times(100)
    .toFixed(2);
}

function figuresOf(rows: readonly Row[]): Figures {
  const stage = (name: string) => rows.filter((row) => row['deal_stage'] === name);
  const won = stage('Won');
  return {
    opportunities: rows.length,
    won: won.length,
    lost: stage('Lost').length,
    wonAmount: won.reduce((sum, row) => sum.plus(row['close_value'] || 0), new Decimal(0)).toFixed(2),
  };
}

/**
 * What each person must see: an administrator everything, a manager the team's opportunities, an agent their own.
 * By e-mail.
 */
export function expectedFigures(source: Source): ReadonlyMap<string, Figures> {
  const expected = new Map<string, Figures>();
  for (const { email, role, manager } of organisationOf(source).members) {
    const agents = new Set(
      source.sales_teams.filter((row) => row['manager'] === manager).map((row) => emailOf(row['sales_agent'] ?? '')),
    );
    const rows = source.sales_pipeline.filter((row) => {
      const owner = emailOf(row['sales_agent'] ?? '');
      return role === 'administrator' || owner === email || (role === 'manager' && agents.has(owner));
    });
    expected.set(email, figuresOf(rows));
  }
  return expected;
}
