/** Teams and users of the data set: an office over its managers' teams, the agents in their manager's team. */
import { slug } from '../names.ts';
import type { Row, Source } from './files.ts';

export const ADMINISTRATOR = 'admin@crm-sales.example';

export interface Member {
  readonly email: string;
  readonly first: string;
  readonly last: string;
  readonly role: 'administrator' | 'manager' | 'sales_rep';
  /** Name of the team. */
  readonly team: string;
  /** The manager's name; of a manager, their own. */
  readonly manager: string;
}

export interface Team {
  readonly name: string;
  readonly parent: string;
}

export interface Organisation {
  /** Parents before their children. */
  readonly teams: readonly Team[];
  readonly members: readonly Member[];
}

export function emailOf(person: string): string {
  return `${person.split(/\s+/).map(slug).join('.')}@crm-sales.example`;
}

function member(person: string, manager: string): Member {
  const [first = person, ...rest] = person.split(/\s+/);
  const role = person === manager ? 'manager' : 'sales_rep';
  return { email: emailOf(person), first, last: rest.join(' '), role, team: teamOf(manager), manager };
}

const teamOf = (manager: string) => `Team ${manager}`;
const officeOf = (row: Row) => `${row['regional_office'] ?? ''} office`;

export function organisationOf(source: Source): Organisation {
  const offices = new Set<string>();
  const managers = new Map<string, string>();
  const agents: Member[] = [];
  for (const row of source.sales_teams) {
    const { manager = '', sales_agent: agent = '' } = row;
    offices.add(officeOf(row));
    managers.set(manager, officeOf(row));
    agents.push(member(agent, manager));
  }
  const head = 'Head office';
  const administrator: Member = {
    email: ADMINISTRATOR,
    first: 'Admin',
    last: 'CRM Sales',
    role: 'administrator',
    team: head,
    manager: '',
  };
  return {
    teams: [
      { name: head, parent: '' },
      ...[...offices].map((name) => ({ name, parent: head })),
      ...[...managers].map(([manager, office]) => ({ name: teamOf(manager), parent: office })),
    ],
    members: [administrator, ...[...managers.keys()].map((manager) => member(manager, manager)), ...agents],
  };
}
