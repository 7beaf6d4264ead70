/** The attributes of the acting user that conditions may ask for. */
import type { Principal } from '../identity/principal.ts';
import type { Value, ValueType } from '../model/value-type.ts';

/** Everything else is a text attribute that the organisation gave its users (`department`, …). */
const BUILT_IN: Readonly<Record<string, ValueType>> = {
  id: 'uuid',
  team: 'uuid',
  teams: 'uuids',
  team_members: 'uuids',
  roles: 'texts',
};

export function userAttributeType(attribute: string): ValueType {
  return Object.hasOwn(BUILT_IN, attribute) ? (BUILT_IN[attribute] ?? 'text') : 'text';
}

/** For {@link import('./evaluate.ts').EvaluationContext.user} and the `user` of an SQL target. `null` when the principal has none. */
export function userAttribute(principal: Principal, attribute: string): Value {
  switch (attribute) {
    case 'id':
      return principal.userId;
    case 'team':
      return principal.team;
    case 'teams':
      return principal.teams;
    case 'team_members':
      return principal.teamMembers;
    case 'roles':
      return principal.roles;
    case 'name':
      return principal.name;
    case 'email':
      return principal.email;
    default:
      return Object.hasOwn(principal.attributes, attribute) ? (principal.attributes[attribute] ?? null) : null;
  }
}
