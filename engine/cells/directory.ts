/** Which cell an organisation lives on. Those of the home cell have no entry. */
import type { Database } from '../db/database.ts';
import { isDatabaseError } from '../db/database-error.ts';
import { gateSession } from '../identity/service-principals.ts';
import { Problem } from '../problem.ts';

export class Directory {
  readonly #home: Database;

  constructor(home: Database) {
    this.#home = home;
  }

  /** @returns `null` for the home cell, and for organisations that are nowhere */
  async cellOf(tenantKey: string): Promise<string | null> {
    const [result] = await this.#home.batch(gateSession('directory'), [
      { text: 'select cell from armature.placement where tenant_key = $1', values: [tenantKey] },
    ]);
    return result?.rows[0]?.[0] ?? null;
  }

  /**
   * Takes the key for a cell, before the organisation is made there: a key is one organisation's, wherever it lives.
   * @param cell `null` for the home cell, whose own directory keeps its keys
   * @throws Problem `unique` when the key is taken anywhere
   */
  async place(tenantKey: string, cell: string | null): Promise<void> {
    await this.#home.ownerTransaction(async (client) => {
      const { rowCount } = await client.query(
        `select from armature.tenant where key = $1 union all select from armature.placement where tenant_key = $1`,
        [tenantKey],
      );
      if (rowCount) throw taken(tenantKey);
      if (cell === null) return;
      await client
        .query('insert into armature.placement (tenant_key, cell) values ($1, $2)', [tenantKey, cell])
        .catch((error: unknown) => {
          throw isDatabaseError(error) && error.code === '23505' ? taken(tenantKey) : error;
        });
    });
  }

  /** Gives the key back when the organisation could not be made. */
  async release(tenantKey: string, cell: string): Promise<void> {
    await this.#home.ownerTransaction(async (client) => {
      await client.query('delete from armature.placement where tenant_key = $1 and cell = $2', [tenantKey, cell]);
    });
  }
}

function taken(tenantKey: string): Problem {
  const message = `There is an organisation “${tenantKey}” already.`;
  return new Problem('unique', message, [{ code: 'unique', message, pointer: '/key' }]);
}
