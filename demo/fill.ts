/** Brings records to what they should be, made only where they are missing: a second run completes what a first one began. */
import type { Entity } from '../engine/model/model.ts';
import { parseUrlQuery } from '../engine/records/query/url.ts';
import type { Scope } from '../engine/records/scope.ts';
import type { Services } from '../engine/services.ts';
import type { Organisation } from './seed.ts';
import type { Body } from './records.ts';
import { teamBody, userBody } from './records.ts';

/** Records per request, the most the write path takes. */
const AT_ONCE = 1000;
/** Records per page, the most the read path gives. */
const PAGE = 200;
/** Passwords hashed at the same time: each takes 19 MiB and one core. */
const HASHES = 4;

function entityOf(scope: Scope, name: string): Entity {
  const entity = scope.model.entities.get(name);
  if (!entity) throw new RangeError(`the model has no ${name}`);
  return entity;
}

/** Records of an entity with one of their fields, in the order they were made: ids grow with time (UUID version 7). */
async function existing(
  services: Services,
  scope: Scope,
  name: string,
  field: string,
): Promise<(readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const after: string = cursor === '' ? '' : `&$after=${encodeURIComponent(cursor)}`;
    const query = parseUrlQuery(`$select=id,${field}&$order=id&$first=${PAGE}&$count=none${after}`);
    const { body } = await services.reader.list(scope, entityOf(scope, name), query);
    const page: { data: Record<string, string>[]; page: { next: string | null } } = JSON.parse(body);
    for (const record of page.data) found.push([record[field] ?? '', record['id'] ?? '']);
    cursor = page.page.next;
  }
  return found;
}

async function create(services: Services, scope: Scope, name: string, bodies: readonly Body[]): Promise<string[]> {
  const { body } = await services.writer.create(scope, entityOf(scope, name), [...bodies], {});
  const made: { data: { id: string }[] } = JSON.parse(body ?? '{"data":[]}');
  return made.data.map(({ id }) => id);
}

/**
 * Makes what is missing at the end of a list whose records were made in this order.
 * @returns the ids of all of them, in the list's order; fewer when `signal` stopped it
 */
export async function fillUp(
  services: Services,
  scope: Scope,
  name: string,
  bodies: readonly Body[],
  signal: AbortSignal,
): Promise<string[]> {
  const ids = (await existing(services, scope, name, 'id')).map(([, id]) => id);
  while (ids.length < bodies.length && !signal.aborted) {
    ids.push(...(await create(services, scope, name, bodies.slice(ids.length, ids.length + AT_ONCE))));
  }
  return ids;
}

/** @returns id by the team's key */
export async function fillTeams(
  services: Services,
  scope: Scope,
  { teams }: Organisation,
): Promise<ReadonlyMap<string, string>> {
  const known = new Map(await existing(services, scope, 'core.team', 'name'));
  const ids = new Map<string, string>();
  for (const team of teams) {
    const [made] = known.has(team.name)
      ? [known.get(team.name)]
      : await create(services, scope, 'core.team', [teamBody(team, ids)]);
    if (made !== undefined) ids.set(team.key, made);
  }
  return ids;
}

/** Users with their teams and passwords. @returns ids in the organisation's order */
export async function fillUsers(
  services: Services,
  scope: Scope,
  { users }: Organisation,
  teams: ReadonlyMap<string, string>,
  password: string,
): Promise<string[]> {
  const known = new Map(await existing(services, scope, 'core.user', 'email'));
  const bodies = users.map((user) => userBody(user, teams.get(user.team) ?? null));
  const missing = users.flatMap(({ email }, index) => (known.has(email) ? [] : [bodies[index] ?? {}]));
  const made = missing.length > 0 ? await create(services, scope, 'core.user', missing) : [];
  for (const [index, id] of made.entries()) known.set(String(missing[index]?.['email']), id);

  // The administrator was there before the teams.
  const [first] = users;
  const administrator = first && known.get(first.email);
  if (administrator && bodies[0]) {
    const { team, department, job_title } = bodies[0];
    await services.writer.update(
      scope,
      entityOf(scope, 'core.user'),
      administrator,
      { team, department, job_title },
      { returning: 'minimal' },
    );
  }
  const ids = users.map(({ email }) => known.get(email) ?? '');
  for (let from = 0; from < ids.length; from += HASHES) {
    const part = ids.slice(from, from + HASHES);
    await Promise.all(part.map((userId) => services.identity.setPassword(scope.principal, { userId, password })));
  }
  return ids;
}

/** The user with this e-mail, or `undefined`. */
export async function userByEmail(services: Services, scope: Scope, email: string): Promise<string | undefined> {
  return new Map(await existing(services, scope, 'core.user', 'email')).get(email);
}
