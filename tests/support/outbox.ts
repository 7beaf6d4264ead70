import { expect, vi } from 'vitest';
import type { TestDatabase } from './postgres.ts';

/** Waits until everything that was committed can be told: jobs of the server have transactions of their own. */
export async function settled({ superuser }: TestDatabase): Promise<void> {
  const { rows } = await superuser.query<{ mark: string }>('select pg_current_xact_id()::text as mark');
  await vi.waitFor(
    async () => {
      const now = await superuser.query<{ done: boolean }>(
        'select armature.outbox_horizon() > $1::text::xid8 as done',
        [rows[0]?.mark],
      );
      expect(now.rows[0]?.done).toBe(true);
    },
    { timeout: 60_000, interval: 20 },
  );
}
