/** A long list: accounts of the organisation `acme`, written past all triggers. */
import type { TestDatabase } from './postgres.ts';

/** Adds `Account 1` to `Account <count>`, which belong to `admin@acme.example`. */
export async function addAccounts({ superuser }: TestDatabase, count: number): Promise<void> {
  await superuser.query('set session_replication_role = replica');
  await superuser.query(
    `insert into t_acme.crm_accounts (id, version, name, created_at, updated_at, owner)
     select gen_random_uuid(), 1, 'Account ' || n, now(), now(), u.id
     from generate_series(1, $1::int) n, t_acme.core_users u where u.email = 'admin@acme.example'`,
    [count],
  );
  await superuser.query('set session_replication_role = origin');
  await superuser.query('analyze t_acme.crm_accounts');
}
