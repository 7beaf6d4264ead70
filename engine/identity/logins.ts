/** The platform's sign-in tables, as the gate. */
import type { Database } from '../db/database.ts';
import type { Statement } from '../db/execute.ts';
import { gateSession } from './service-principals.ts';

export interface Login {
  readonly tenant: string;
  readonly tenantName: string;
  readonly userId: string;
  readonly passwordHash: string | null;
}

export interface StoredSession {
  readonly tenant: string;
  readonly userId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface NewSession {
  readonly hash: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly kind: 'cookie' | 'bearer';
  readonly label: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly expiresAt: number;
}

/** A password is compared with at most this many organisations' hashes. */
const MOST_ORGANISATIONS = 20;

const time = (ms: number) => new Date(ms).toISOString();

export class Logins {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async #run(...statements: Statement[]) {
    return this.#database.batch(gateSession('authentication'), statements);
  }

  /** Logins with a password; `email` in lower case. */
  async byEmail(email: string, organisation: string | null): Promise<Login[]> {
    const [found] = await this.#run({
      text: `select t.key, t.name, l.user_id, l.password_hash from armature.login l join armature.tenant t on t.id = l.tenant_id
        where l.email = $1 and l.active and l.password_hash is not null and ($2::text is null or t.key = $2)
        order by t.key limit ${MOST_ORGANISATIONS}`,
      values: [email, organisation],
    });
    return (found?.rows ?? []).map(([tenant, tenantName, userId, passwordHash]) => ({
      tenant: tenant ?? '',
      tenantName: tenantName ?? '',
      userId: userId ?? '',
      passwordHash: passwordHash ?? null,
    }));
  }

  async passwordOf(tenantId: string, userId: string): Promise<string | null> {
    const [found] = await this.#run({
      text: 'select password_hash from armature.login where tenant_id = $1 and user_id = $2',
      values: [tenantId, userId],
    });
    return found?.rows[0]?.[0] ?? null;
  }

  /**
   * Makes the login, or brings its e-mail (and, unless `null`, its password) up to date. An e-mail that another login
   * of the tenant still holds has left that user: users are unique by e-mail, and the other's own change follows.
   */
  async save(tenantId: string, userId: string, email: string, passwordHash: string | null): Promise<void> {
    await this.#run(
      {
        text: `update armature.login set email = user_id || '@moved.invalid' where tenant_id = $1 and email = $2 and user_id <> $3`,
        values: [tenantId, email, userId],
      },
      {
        text: `insert into armature.login (tenant_id, user_id, email, password_hash) values ($1, $2, $3, $4)
          on conflict (tenant_id, user_id) do update set email = excluded.email,
            password_hash = coalesce(excluded.password_hash, login.password_hash)`,
        values: [tenantId, userId, email, passwordHash],
      },
    );
  }

  /** Brings the e-mail of an existing login up to date; people without one stay without. */
  async moveEmail(tenantId: string, userId: string, email: string): Promise<void> {
    const condition =
      'exists (select from armature.login o where o.tenant_id = $1 and o.user_id = $3 and o.email <> $2)';
    await this.#run(
      {
        text: `update armature.login set email = user_id || '@moved.invalid'
          where tenant_id = $1 and email = $2 and user_id <> $3 and ${condition}`,
        values: [tenantId, email, userId],
      },
      {
        text: 'update armature.login set email = $2 where tenant_id = $1 and user_id = $3 and email <> $2',
        values: [tenantId, email, userId],
      },
    );
  }

  async openSession(session: NewSession): Promise<void> {
    await this.#run({
      text: `insert into armature.session (token_hash, tenant_id, user_id, kind, label, created_at, expires_at)
        values (decode($1, 'hex'), $2, $3, $4, $5, $6, $7)`,
      values: [
        session.hash,
        session.tenantId,
        session.userId,
        session.kind,
        session.label,
        time(session.now),
        time(session.expiresAt),
      ],
    });
  }

  async session(hash: string, now: number): Promise<StoredSession | null> {
    const [found] = await this.#run({
      text: `select t.key, s.user_id, extract(epoch from s.expires_at) * 1000 from armature.session s
        join armature.tenant t on t.id = s.tenant_id
        join armature.login l on l.tenant_id = s.tenant_id and l.user_id = s.user_id and l.active
        where s.token_hash = decode($1, 'hex') and s.expires_at > $2`,
      values: [hash, time(now)],
    });
    const [tenant, userId, expiresAt] = found?.rows[0] ?? [];
    return tenant && userId ? { tenant, userId, expiresAt: Number(expiresAt) } : null;
  }

  async closeSession(hash: string): Promise<void> {
    await this.#run({ text: `delete from armature.session where token_hash = decode($1, 'hex')`, values: [hash] });
  }

  /** Ends a person's signed-in pages; tokens of programs stay. `except` (a hash) is kept. */
  async closePages(tenantId: string, userId: string, except: string | null): Promise<void> {
    await this.#run({
      text: `delete from armature.session where tenant_id = $1 and user_id = $2 and kind = 'cookie'
        and ($3::text is null or token_hash <> decode($3, 'hex'))`,
      values: [tenantId, userId, except],
    });
  }
}
