/** Flags: which are on for somebody, and switching them. A switch needs no publish and holds at once. */
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { sessionOf } from '../db/database.ts';
import { problemOf } from '../db/database-error.ts';
import { flagOn } from '../model/flags.ts';
import type { Flag } from '../model/parts.ts';
import type { ModelSource } from '../model/tenant.ts';
import { textKey, translator } from '../model/texts.ts';
import { nearest } from '../nearest.ts';
import { notFound, Problem } from '../problem.ts';
import type { Scope } from '../records/scope.ts';

/** A flag as administrators see it. */
export interface FlagState {
  /** Qualified name, `crm.feature_forecast`. */
  readonly flag: string;
  readonly label: string;
  readonly description: string | null;
  /** As the document has it. */
  readonly default: boolean;
  /** What it is switched to; `null`: nobody has. */
  readonly switched: boolean | null;
  readonly roles: readonly string[] | null;
  readonly percent: number | null;
  /** ISO 8601, UTC. */
  readonly from: string | null;
  readonly until: string | null;
  /** Whether it is on for the one who asks. */
  readonly on: boolean;
}

interface FlagServices {
  readonly database: Database;
  readonly clock: Clock;
  /** Is told at once; other processes hear of it from the database. */
  readonly models?: Pick<ModelSource, 'switched'>;
}

export class Flags {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #models: FlagServices['models'];

  constructor({ database, clock, models }: FlagServices) {
    this.#database = database;
    this.#models = models;
    this.#clock = clock;
  }

  /** Qualified names of the flags that are on for this principal. One query; none where the model has no flags. */
  async on(scope: Scope): Promise<ReadonlySet<string>> {
    const { flags } = scope.model;
    if (flags.size === 0) return new Set();
    const context = this.#context(scope, await this.#switched(scope));
    return new Set([...flags.values()].filter((flag) => flagOn(flag, context)).map(({ name }) => name));
  }

  /** All of them, by name. For administrators. */
  async list(scope: Scope): Promise<readonly FlagState[]> {
    requireAdministrator(scope);
    const switched = await this.#switched(scope);
    const translate = translator(scope.model, scope.principal.locale);
    const context = this.#context(scope, switched);
    return [...scope.model.flags.values()].map((flag) => ({
      flag: flag.name,
      label: translate(textKey.flag(flag.name), flag.label),
      description: flag.description,
      default: flag.on,
      switched: switched.get(flag.name) ?? null,
      roles: flag.roles,
      percent: flag.percent,
      from: momentOf(flag.from),
      until: momentOf(flag.until),
      on: flagOn(flag, context),
    }));
  }

  /**
   * Switches a flag for the whole organisation; its roles, percent and times still say for whom and when.
   * @param on `null` takes the switch away: it is as its document says
   * @throws Problem `forbidden`, `not_found` for a flag that does not exist
   */
  async switch(scope: Scope, name: string, on: boolean | null): Promise<void> {
    requireAdministrator(scope);
    flagOf(scope, name);
    const statement =
      on === null
        ? { text: 'delete from armature.flag_switch where flag = $1', values: [name] }
        : {
            text: `insert into armature.flag_switch (flag, "on") values ($1, $2::boolean)
                   on conflict (tenant_id, flag) do update set "on" = excluded."on"`,
            values: [name, String(on)],
          };
    await this.#database.batch(sessionOf(scope.principal), [statement]).catch((error: unknown) => {
      throw problemOf(error);
    });
    this.#models?.switched?.(scope.tenant.key);
  }

  async #switched(scope: Scope): Promise<ReadonlyMap<string, boolean>> {
    const [result] = await this.#database.batch(sessionOf(scope.principal), [
      { text: 'select flag, "on"::text from armature.flag_switch', values: [] },
    ]);
    return new Map(result?.rows.map(([flag, on]) => [flag ?? '', on === 'true']));
  }

  #context({ principal, rights }: Scope, switched: ReadonlyMap<string, boolean>) {
    return { userId: principal.userId, roles: rights.roles, now: this.#clock.now(), switched };
  }
}

function flagOf(scope: Scope, name: string): Flag {
  const flag = scope.model.flags.get(name);
  if (flag) return flag;
  const meant = nearest(name, scope.model.flags.keys());
  if (meant === undefined) throw notFound();
  throw new Problem('not_found', `There is no flag “${name.slice(0, 100)}”. Did you mean “${meant}”?`);
}

function requireAdministrator({ rights }: Scope): void {
  if (!rights.administrator) throw new Problem('forbidden', 'Only an administrator of the organisation may do this.');
}

const momentOf = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString();
