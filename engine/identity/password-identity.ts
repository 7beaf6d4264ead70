/** Sign-in with e-mail and password; sessions and tokens in the platform's tables. */
import type { Clock, IdSource } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { KEY } from '../db/identifiers.ts';
import { rightsOf } from '../model/rights.ts';
import type { ModelSource, TenantModel } from '../model/tenant.ts';
import { invalidAt, notFound, Problem } from '../problem.ts';
import type { Credentials, Identity, Origin, PasswordChange, SignedIn, TokenRequest } from './identity.ts';
import type { Login, StoredSession } from './logins.ts';
import { networkOf } from './network.ts';
import { Logins } from './logins.ts';
import { hashPassword, verifyPassword, weakness } from './password.ts';
import type { RoleSet } from './people.ts';
import { People, TEAM, USER } from './people.ts';
import { PrincipalCache, TTL } from './principal-cache.ts';
import type { Principal } from './principal.ts';
import { Throttle } from './throttle.ts';
import { hashToken, newToken } from './token.ts';

const DAY = 86_400_000;
const SESSION_TTL = 7 * DAY;
const TOKEN_TTL = 365 * DAY;
/**
 * Failures within a quarter of an hour: of one e-mail from one network; from one network, whatever the e-mails (one
 * password tried on everybody); of one e-mail, wherever from (one account guessed at by many machines).
 */
const ATTEMPTS = { together: 10, network: 100, email: 100 } as const;
const LONGEST_EMAIL = 320;
/** Sessions kept in memory. */
const KEPT_SESSIONS = 20_000;

export interface IdentityOptions {
  readonly database: Database;
  readonly models: ModelSource;
  readonly roleSet: RoleSet;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Key of the cell whose people these are; home without. */
  readonly cell?: string | null;
  /** Keeps principals for all processes of the installation, where there is one. */
  readonly shared?: SharedPrincipals | undefined;
}

/** By tenant: who somebody is, as another process found out, as JSON. */
export interface SharedPrincipals {
  get(tenant: string, key: string, load: () => Promise<string | null>): Promise<string | null>;
  /** Everybody of the tenant, in every process. */
  forget(tenant: string, userId?: string): Promise<void>;
}

interface KnownSession extends StoredSession {
  /** When it must be looked up again, milliseconds since the epoch. */
  readonly until: number;
}

export class PasswordIdentity implements Identity {
  readonly #models: ModelSource;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #people: People;
  readonly #logins: Logins;
  readonly #principals: PrincipalCache;
  readonly #throttle: Throttle;
  readonly #shared: SharedPrincipals | undefined;
  readonly #cell: string | null;
  readonly #sessions = new Map<string, KnownSession>();
  /** Times that sessions were forgotten: what was read before is not kept. */
  #forgotten = 0;

  constructor({ database, models, roleSet, clock, ids, shared, cell }: IdentityOptions) {
    this.#cell = cell ?? null;
    this.#shared = shared;
    this.#models = models;
    this.#clock = clock;
    this.#ids = ids;
    this.#people = new People(database, roleSet);
    this.#logins = new Logins(database);
    this.#principals = new PrincipalCache(clock);
    this.#throttle = new Throttle(clock);
  }

  async signIn(credentials: Credentials, origin?: Origin): Promise<SignedIn> {
    // As e-mails are stored. None is longer, and what is counted is kept in memory.
    const email = credentials.email.trim().normalize('NFC').toLowerCase().slice(0, LONGEST_EMAIL);
    const organisation = credentials.organisation?.trim() || null;
    const network = networkOf(origin?.ip ?? '');
    const attempt = `${email}\n${network}`;
    this.#throttle.attempt(attempt, ATTEMPTS.together);
    this.#throttle.attempt(`from ${network}`, ATTEMPTS.network);
    this.#throttle.attempt(`for ${email}`, ATTEMPTS.email);

    const candidates =
      organisation !== null && !KEY.test(organisation) ? [] : await this.#logins.byEmail(email, organisation);
    const people = await this.#matching(candidates, credentials.password);
    const [first, ...others] = people;
    if (!first) throw new Problem('invalid_credentials', 'The e-mail or the password is wrong.');
    this.#throttle.forgive(attempt);
    // Somebody's own sign-ins must not pay for their guesses at others'.
    this.#throttle.giveBack(`from ${network}`);
    this.#throttle.giveBack(`for ${email}`);
    if (others.length > 0) {
      const organisations = people.map(({ login }) => ({ key: login.tenant, name: login.tenantName }));
      const message = 'You belong to several organisations. Choose one.';
      throw new Problem('invalid', message, [
        { code: 'organisation_required', message, pointer: '/organisation', params: { organisations } },
      ]);
    }
    return this.#open(first.scope, first.principal, 'cookie', null, SESSION_TTL);
  }

  /** Every candidate's password is checked, none answers earlier than another; unknown e-mails take as long as one. */
  async #matching(candidates: readonly Login[], password: string) {
    const found: { login: Login; scope: TenantModel; principal: Principal }[] = [];
    if (candidates.length === 0) await verifyPassword(null, password);
    for (const login of candidates) {
      if (!(await verifyPassword(login.passwordHash, password))) continue;
      const scope = await this.#models.get(login.tenant);
      const principal = await this.#people.principal(scope, login.userId);
      if (principal) found.push({ login, scope, principal });
    }
    return found;
  }

  async #open(
    { tenant }: TenantModel,
    principal: Principal,
    kind: 'cookie' | 'bearer',
    label: string | null,
    ttl: number,
  ): Promise<SignedIn> {
    if (principal.userId === null) throw notFound();
    const token = newToken(this.#ids, this.#cell);
    const hash = hashToken(token);
    if (hash === null) throw new RangeError('the id source made a token that is not one');
    const now = this.#clock.now();
    const expiresAt = now + ttl;
    await this.#logins.openSession({
      hash,
      tenantId: tenant.id,
      userId: principal.userId,
      kind,
      label,
      now,
      expiresAt,
    });
    return { token, expiresAt: new Date(expiresAt), principal };
  }

  authenticate(token: string): Principal | null | Promise<Principal | null> {
    const hash = hashToken(token);
    if (hash === null) return null;
    const now = this.#clock.now();
    const known = this.#sessions.get(hash);
    if (known && known.until > now) return this.#within(hash, known, now);
    return this.#look(hash, now).then((session) => session && this.#within(hash, session, now));
  }

  /** Whose session it is, as long as it lasts. */
  #within(hash: string, session: StoredSession, now: number): Principal | null | Promise<Principal | null> {
    if (session.expiresAt > now) return this.principalOf(session.tenant, session.userId);
    this.#sessions.delete(hash);
    return null;
  }

  async #look(hash: string, now: number): Promise<StoredSession | null> {
    this.#sessions.delete(hash);
    const forgotten = this.#forgotten;
    const stored = await this.#logins.session(hash, now);
    if (!stored) return null;
    if (forgotten !== this.#forgotten) return stored;
    this.#sessions.set(hash, { ...stored, until: now + TTL });
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= KEPT_SESSIONS) break;
      this.#sessions.delete(oldest);
    }
    return stored;
  }

  principalOf(tenant: string, userId: string): Principal | null | Promise<Principal | null> {
    const scope = this.#models.known(tenant);
    if (scope) return this.#personOf(scope, userId);
    return this.#modelOf(tenant).then((found) => found && this.#personOf(found, userId));
  }

  #personOf(scope: TenantModel, userId: string): Principal | null | Promise<Principal | null> {
    const tenant = scope.tenant.key;
    const known = this.#principals.known(tenant, userId, scope.model);
    if (known) return known;
    const load = () => this.#people.principal(scope, userId);
    const shared = this.#shared;
    // Another release may know other roles.
    const find = shared
      ? async () =>
          parsed(await shared.get(tenant, `${scope.model.release}:${userId}`, async () => written(await load())))
      : load;
    return this.#principals.get(tenant, userId, scope.model, find);
  }

  async #modelOf(tenant: string): Promise<TenantModel | null> {
    try {
      return await this.#models.get(tenant);
    } catch (error) {
      if (error instanceof Problem && error.code === 'not_found') return null;
      throw error;
    }
  }

  async signOut(token: string): Promise<void> {
    const hash = hashToken(token);
    if (hash === null) return;
    this.#sessions.delete(hash);
    await this.#logins.closeSession(hash);
    // A lookup that was under way may have put it back, or be about to.
    this.#sessions.delete(hash);
    this.#forgotten += 1;
  }

  async issueToken(request: TokenRequest): Promise<SignedIn> {
    const scope = await this.#models.get(request.tenant);
    const person = await this.#people.find(scope, request.user);
    const principal = person ? await this.#people.principal(scope, person.id) : null;
    if (!person || !principal) {
      throw new Problem(
        'not_found',
        `There is no active user with this e-mail in the organisation "${request.tenant}".`,
      );
    }
    await this.#logins.save(scope.tenant.id, person.id, person.email, null);
    return this.#open(scope, principal, 'bearer', request.label ?? null, request.ttl ?? TOKEN_TTL);
  }

  async setPassword(principal: Principal, change: PasswordChange): Promise<void> {
    const scope = await this.#models.get(principal.tenant);
    const { tenant, model } = scope;
    // Only service principals have no user, and only `service-principals.ts` makes them.
    const administers = principal.userId === null || rightsOf(model, principal.roles).administrator;
    const own = principal.userId === change.userId;
    if (!administers && !own)
      throw new Problem('forbidden', 'Only an administrator may set another person’s password.');
    if (!administers || change.oldPassword !== undefined) await this.#checkOld(tenant.id, change);

    const person = await this.#people.find(scope, { id: change.userId });
    if (!person) throw notFound();
    const weak = weakness(change.password, person.email, '/password');
    if (weak) throw new Problem('invalid', weak.message, [weak]);
    await this.#logins.save(tenant.id, person.id, person.email, await hashPassword(change.password));
    const kept = change.keepToken === undefined ? null : hashToken(change.keepToken);
    await this.#logins.closePages(tenant.id, person.id, kept);
    await this.invalidate(tenant.key, person.id);
  }

  async #checkOld(tenantId: string, change: PasswordChange): Promise<void> {
    const attempt = `${tenantId}\n${change.userId}`;
    this.#throttle.attempt(attempt, ATTEMPTS.together);
    const stored = await this.#logins.passwordOf(tenantId, change.userId);
    if (!(await verifyPassword(stored, change.oldPassword ?? ''))) {
      throw invalidAt('/old_password', 'The old password is wrong.', 'wrong_password');
    }
    this.#throttle.forgive(attempt);
  }

  async invalidate(tenant: string, userId?: string): Promise<void> {
    this.forget(tenant, userId);
    await this.#shared?.forget(tenant, userId);
    // What was asked for in between was an answer of before.
    if (this.#shared) this.forget(tenant, userId);
  }

  /** In this process alone: another one has told what changed. */
  forget(tenant: string, userId?: string): void {
    this.#principals.forget(tenant, userId);
    this.#forgotten += 1;
    for (const [hash, session] of this.#sessions) {
      if (session.tenant === tenant && (userId === undefined || session.userId === userId)) this.#sessions.delete(hash);
    }
  }

  /**
   * Told of every committed change of records, by the write path and by the outbox: a change of users or teams may
   * change anybody's rights, and a user's e-mail is what they sign in with.
   * @param entity qualified name
   * @param recordId `null` for many new records at once
   */
  async recordChanged(tenant: string, entity: string, recordId: string | null): Promise<void> {
    if (entity !== USER && entity !== TEAM) return;
    await this.invalidate(tenant);
    if (entity !== USER || recordId === null) return;
    const scope = await this.#models.get(tenant);
    const person = await this.#people.find(scope, { id: recordId });
    if (person) await this.#logins.moveEmail(scope.tenant.id, person.id, person.email);
  }
}

function written(principal: Principal | null): string | null {
  return principal && JSON.stringify(principal);
}

/** Written by a process of this installation. */
function parsed(text: string | null): Principal | null {
  return text === null ? null : JSON.parse(text);
}
